# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite Micro beside Earshot: finding it, holding it to the board, measuring what it needs."""
