# SPDX-License-Identifier: Apache-2.0
"""What an image printed when it failed, as registers in words and the functions that called each other."""
