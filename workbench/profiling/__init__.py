# SPDX-License-Identifier: Apache-2.0
"""What a decision costs on a Cortex-M: instructions, flash and RAM, counted and not timed.

inputs       the sound or the tensors that the counting image works on
counter      runs the image with QEMU's instruction counter: the numbers
trace        runs it again and follows every block executed: which line of C, which layer they belong to
attribution  which layer, stage or step an address of the image belongs to
cycles       a documented estimate over the instructions traced
memory       flash and RAM from the image and its map
profile      all of it together, as frozen dataclasses
"""
