# SPDX-License-Identifier: Apache-2.0
"""The ring that a DMA engine fills: what is read is whole, whenever the engine and its interrupt come."""

from __future__ import annotations

import ctypes
import subprocess

import pytest

from tests.support.compile import FIRMWARE, SUPPORT, WARNINGS, protocol_table
from tests.support.tools import need_tool

BLOCK, BLOCKS, OWNED = 128, 32, 2
# Fences of a read at which the engine writes, and at which its interrupt counts: 1 before the copy, 2 between
# it and the second look. What is written before the copy is counted before that look: the interrupt is at
# most as late as the copy is long.
MOMENTS = [(1, 1), (1, 2), (2, 2), (2, 3)]


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    library = tmp_path_factory.mktemp("dma_ring") / "ring.so"
    source = SUPPORT / "dma_ring.c"
    words = [*WARNINGS, "-O1", "-g", "-fPIC", "-shared", f"-I{FIRMWARE}", f"-I{library.parent}"]
    words += [str(source), str(protocol_table(library.parent)), "-o", str(library)]
    done = subprocess.run([need_tool("gcc"), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(library))


def read(ring: ctypes.CDLL, count: int) -> list[int]:
    """dma_ring_read()."""
    samples = (ctypes.c_int16 * count)()
    return samples[: ring.ring_read(samples, count)]


@pytest.mark.parametrize(("writes", "counts"), MOMENTS)
@pytest.mark.parametrize("count", [64, 5 * BLOCK])
def test_what_is_read_is_whole_whenever_the_engine_comes(
    ring: ctypes.CDLL, count: int, writes: int, counts: int
) -> None:
    for before in range(1, BLOCKS + 8):
        for blocks in range(1, BLOCKS + 8):
            ring.ring_start()
            ring.ring_record(before)
            ring.ring_interrupt(blocks, writes, counts)
            samples = read(ring, count)
            assert ring.ring_left() == 0
            first = samples[0]
            assert samples == list(range(first, first + len(samples))), (before, blocks)
            while more := read(ring, count):
                assert more == list(range(more[0], more[0] + len(more))), (before, blocks)
                samples += more
            assert len(samples) + ring.ring_lost() == (before + blocks) * BLOCK
            assert samples[-1] == (before + blocks) * BLOCK - 1
            assert len(samples) >= min(before + blocks, BLOCKS - OWNED) * BLOCK


def test_what_was_overtaken_while_it_was_copied_is_not_returned(ring: ctypes.CDLL) -> None:
    """The interrupt comes between the copy and the second look."""
    ring.ring_start()
    ring.ring_record(BLOCKS - OWNED)
    ring.ring_interrupt(1, 1, 2)
    assert read(ring, 64) == list(range(BLOCK, BLOCK + 64))
    assert ring.ring_lost() == BLOCK
