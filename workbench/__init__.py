# SPDX-License-Identifier: Apache-2.0
"""What runs: recordings, models, training, and images on the PC, in an emulator, on a board."""
