# SPDX-License-Identifier: Apache-2.0
"""GDB on an image: in the emulator, on this computer, or on the board itself."""
