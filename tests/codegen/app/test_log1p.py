# SPDX-License-Identifier: Apache-2.0
"""The float32 logarithm of the mel scale against a C library that has it from fdlibm, too."""

from __future__ import annotations

import ctypes
import ctypes.util
import platform

import numpy as np
import pytest

from codegen.app.tables.log1p import log1p_float32

LAST = (2, 40)  # glibc of later versions rounds the exact logarithm


def test_it_is_fdlibms_to_the_last_bit() -> None:
    """Frequencies of bins over 700, and any numbers of that range."""
    name, version = platform.libc_ver()
    if name != "glibc" or tuple(int(part) for part in version.split(".")[:2]) > LAST:
        pytest.skip("this computer's C library is not glibc up to 2.40")
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    library.log1pf.restype, library.log1pf.argtypes = ctypes.c_float, [ctypes.c_float]
    bins = [
        np.arange(2049, dtype=np.float32) * np.float32(rate / 4096 / 700) for rate in (8000, 16000, 44100)
    ]
    powers = 2.0 ** np.random.default_rng(3).uniform(-28, 23, 5000)
    given = np.concatenate([*bins, powers.astype(np.float32)])
    found = [log1p_float32(x) for x in given]
    assert found == [np.float32(library.log1pf(float(x))) for x in given]
    exact = np.log1p(given.astype(np.float64)).astype(np.float32)
    assert np.count_nonzero(exact != np.array(found)) > 100  # the two are told apart
