# SPDX-License-Identifier: Apache-2.0
"""What the publisher's package, pymicro-features, makes of a sound: the features of ESPHome's wake words."""

from __future__ import annotations

import ctypes
import ctypes.util

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.tables.log1p import log1p_float32
from workbench.published.catalogue import AbsentError
from workbench.published.publishers import esphome_values


def publisher(samples: NDArray[np.int16]) -> NDArray[np.int64]:
    """The values of pymicro-features, int64[n, 40]."""
    try:
        return esphome_values(samples)
    except AbsentError as absent:
        pytest.skip(str(absent))


def require_its_logarithm() -> None:
    """Skips where the C library under the package rounds log1pf otherwise than those of devices."""
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    library.log1pf.restype, library.log1pf.argtypes = ctypes.c_float, [ctypes.c_float]
    for hertz in np.arange(1, 257, dtype=np.float32) * np.float32(31.25) / np.float32(700):
        if np.float32(library.log1pf(float(hertz))) != log1p_float32(hertz):
            pytest.skip("this C library's log1pf rounds otherwise than those of devices")
