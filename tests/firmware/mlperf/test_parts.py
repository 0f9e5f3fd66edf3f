# SPDX-License-Identifier: Apache-2.0
"""The image's clock over the wraps of the board's counter, and the distance of floats beside float64."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from tests.support.compile import FIRMWARE, compile_shared, load, protocol_table

PORT = """
#include "port/port.h"
uint32_t ticks;
const uint32_t port_tick_hz = TICK_HZ;
uint32_t port_ticks(void)
{
    return ticks;
}
"""


@pytest.mark.parametrize("rate", [32768, 1_000_000, 25_000_000, 78_000_000])
def test_the_clock_tells_whole_microseconds_for_days(tmp_path: Path, rate: int) -> None:
    table = protocol_table(tmp_path)
    port = tmp_path / "port.c"
    port.write_text(PORT.replace("TICK_HZ", str(rate)))
    files = [FIRMWARE / "mlperf" / "clock.c", port, table]
    library = load(compile_shared(tmp_path, files, includes=[tmp_path]))
    library.clock_micros.restype = ctypes.c_uint64
    ticks = ctypes.c_uint32.in_dll(library, "ticks")
    passed = 0
    for step in [0, 1, 12, rate, (1 << 32) - 1, *[(1 << 31) + 12345] * 6000]:
        passed += step
        ticks.value = passed % (1 << 32)
        assert library.clock_micros() == passed * 1_000_000 // rate
    assert passed > rate * 86400


def test_the_distance_is_that_of_float64(tmp_path: Path) -> None:
    library = load(compile_shared(tmp_path, [FIRMWARE / "mlperf" / "distance.c"]))
    library.distance.restype = ctypes.c_int64
    random = np.random.default_rng(2)
    edges = np.array([0, -0.0, 1e-40, 1e-6, -7.7e-6, 0.5, 1 - 2**-24, 127.99, 8190.9, -8190.9], np.float32)
    for scale in (0.36, 3.0, 60.0):
        values = np.round(np.arange(-224, 32) * scale * 65536).astype(np.int32)
        for spread in (0.1, 20, 2000):
            floats = np.concatenate([edges, random.normal(0, spread, 90).astype(np.float32)])
            output = random.integers(-128, 128, len(floats)).astype(np.int8)
            found = library.distance(
                floats.astype("<f4").tobytes(),
                output.tobytes(),
                values.ctypes.data_as(ctypes.c_void_p),
                ctypes.c_size_t(len(floats)),
            )
            exact = np.mean((values[output.astype(int) + 128] / 65536 - floats.astype(np.float64)) ** 2)
            allowed = 0.0005 + 2**-16 * np.sqrt(exact)
            assert abs(found / 1000 - exact) <= allowed


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 3e38, -3e38, 8191.5])
def test_what_is_out_of_range_counts_as_the_bound(tmp_path: Path, value: float) -> None:
    library = load(compile_shared(tmp_path, [FIRMWARE / "mlperf" / "distance.c"]))
    library.distance.restype = ctypes.c_int64
    values = (ctypes.c_int32 * 256)()
    data = np.array([value], "<f4").tobytes()
    assert library.distance(data, b"\0", values, ctypes.c_size_t(1)) == 8191**2 * 1000
