# SPDX-License-Identifier: Apache-2.0
"""Whose bits are computed where two reference implementations differ."""

from __future__ import annotations

from enum import Enum


class Reference(Enum):
    """Whose bits are meant where the two reference implementations differ (docs/exactness.md)."""

    LITERT = "litert"  # the reference kernels of LiteRT's interpreter: what a model is verified against
    TFLM = "tflm"  # TensorFlow Lite Micro, on the device
