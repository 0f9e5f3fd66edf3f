# SPDX-License-Identifier: Apache-2.0
"""An image onto a board: by the program that is installed, through the probe that is found."""
