# SPDX-License-Identifier: Apache-2.0
"""Tiles, blocks, broadcast, reversal, gathered and mirrored rows against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.ops.gather import progressions
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.support.exact import ONE_BATCH, Batch, batches, check, layers_of

Options = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Arrangement:
    """A model of one operator; values: its constant."""

    op: str
    shape: tuple[int, ...]
    values: Any = None
    options: Options = ()
    zero_point: int = 3

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        x, y = (
            model.tensor(tuple(map(int, shape)), "int8", 0.1, self.zero_point)
            for shape in (self.shape, self.made())
        )
        operands = [] if self.values is None else [model.constant(np.array(self.values, np.int32))]
        model.operator(self.op, [x, *operands], [y], dict(self.options) or None)
        return model.ends([x], [y])

    def made(self) -> tuple[int, ...]:  # noqa: PLR0911 (one an operator)
        """The output's shape, by NumPy's own operations."""
        places, options = np.zeros(self.shape), dict(self.options)
        if self.op == "TILE":
            return np.tile(places, self.values).shape
        if self.op == "BROADCAST_TO":
            return tuple(self.values)
        if self.op == "GATHER":
            return np.take(places, np.array(self.values), options["axis"]).shape
        if self.op == "GATHER_ND":
            places = np.array(self.values)
            return (*places.shape[:-1], *self.shape[places.shape[-1] :])
        if self.op == "MIRROR_PAD":
            return np.pad(places, self.values, "edge").shape
        if not options:
            return self.shape
        block, (batch, rows, columns, depth) = options["blockSize"], self.shape
        if self.op == "SPACE_TO_DEPTH":
            return batch, rows // block, columns // block, depth * block * block
        return batch, rows * block, columns * block, depth // (block * block)


OPS = (
    *("TILE", "BROADCAST_TO", "REVERSE_V2", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE"),
    *("GATHER", "GATHER_ND", "MIRROR_PAD"),
)


@st.composite
def arrangements(draw: st.DrawFn, op: str) -> Arrangement:  # noqa: PLR0911 (one an operator)
    """The operator, with a batch of 1 in front."""
    shape = (1, *draw(st.lists(st.integers(2, 6), min_size=1, max_size=3)))
    axis = draw(st.integers(1, len(shape) - 1))
    first = Arrangement(op, shape, zero_point=draw(st.integers(-128, 127)))
    if op == "TILE":
        return replace(first, values=(1, *(draw(st.integers(1, 3)) for _ in shape[1:])))
    if op == "BROADCAST_TO":
        narrow = tuple(1 if draw(st.booleans()) else size for size in shape)
        return replace(first, shape=narrow, values=shape)
    if op == "REVERSE_V2":
        return replace(first, values=(axis,))
    if op == "GATHER":
        rows = draw(st.lists(st.integers(0, shape[axis] - 1), min_size=1, max_size=9))
        indices = draw(st.sampled_from((rows, [rows, rows[::-1]], rows[0])))
        at = axis - draw(st.sampled_from((0, len(shape))))
        return replace(first, values=indices, options=(("axis", at), ("batchDims", 0)))
    if op == "GATHER_ND":
        sizes = shape[: draw(st.integers(1, len(shape)))]
        place = st.tuples(*(st.integers(0, size - 1) for size in sizes))
        return replace(first, values=draw(st.one_of(place, st.lists(place, min_size=1, max_size=9))))
    if op == "MIRROR_PAD":
        mode = draw(st.integers(0, 1))
        most = [0, *(size - 1 + mode for size in shape[1:])]
        pads = tuple((draw(st.integers(0, m)), draw(st.integers(0, m))) for m in most)
        return replace(first, values=pads, options=(("mode", mode),))
    block = draw(st.integers(1, 3))
    height, width, depth = (draw(st.integers(1, 4)) for _ in range(3))
    whole = (1, height, width, depth * block * block)
    if op == "SPACE_TO_DEPTH":
        whole = (1, height * block, width * block, depth)
    return replace(first, shape=whole, options=(("blockSize", block),))


@pytest.mark.parametrize("op", OPS)
def test_any_arrangement(op: str) -> None:
    @ONE_BATCH
    @given(batches(arrangements(op), 30))
    def each(cases: Batch) -> None:
        check(cases)

    each()


GATHERED_ND = Arrangement("GATHER_ND", (1, 6, 4), [[(0, 5), (0, 3)], [(0, 1), (0, 1)], [(0, 0), (0, 4)]])
GATHERED = Arrangement("GATHER", (1, 6, 4), (5, 3, 1, 0, 0, 0, 4), (("axis", 1), ("batchDims", 0)))
CASES = [
    Arrangement("TILE", (1, 3, 4), (1, 2, 3)),
    Arrangement("BROADCAST_TO", (1, 3, 1), (1, 3, 5)),
    Arrangement("REVERSE_V2", (1, 3, 4), (2,)),
    Arrangement("SPACE_TO_DEPTH", (1, 4, 6, 3), options=(("blockSize", 2),)),
    Arrangement("DEPTH_TO_SPACE", (1, 3, 4, 8), options=(("blockSize", 2),)),
    GATHERED,
    GATHERED_ND,
    replace(GATHERED_ND, values=(0, 4, 2)),
    Arrangement("MIRROR_PAD", (1, 4, 5), ((0, 0), (1, 3), (2, 0)), (("mode", 0),)),
]


def test_on_a_cortex_m4() -> None:
    check(CASES, target="qemu")


@dataclass(frozen=True)
class Spread:
    """A constant that BROADCAST_TO spreads, and a sum with it."""

    shape: tuple[int, ...]

    def build(self) -> Builder:
        """The model: 3 x 4 values."""
        model = Builder()
        x, spread, y = (model.tensor((1, 3, 4), "int8", 0.1, 3) for _ in range(3))
        values = np.arange(-5, int(np.prod(self.shape)) - 5, dtype=np.int8).reshape(self.shape)
        sizes = model.constant(np.array((1, 3, 4), np.int32))
        model.operator("BROADCAST_TO", [model.constant(values, 0.1, 3), sizes], [spread])
        model.operator("ADD", [x, spread], [y], {"fusedActivationFunction": 0})
        return model.ends([x], [y])


def test_a_constant_is_spread_before_the_program_runs(tmp_path: Path) -> None:
    cases = [Spread(shape) for shape in ((1, 1, 4), (4,), (1, 3, 1), (1, 3, 4))]
    check(cases)
    assert len(layers_of(cases[0], tmp_path)) == 1


def test_rows_at_one_distance_are_one_copy(tmp_path: Path) -> None:
    assert progressions([5, 3, 1, 0, 0, 0, 4]) == [[5, 3, 1], [0, 0, 0], [4]]
    assert len(layers_of(GATHERED, tmp_path)) == 3
    assert len(layers_of(CASES[0], tmp_path)) == 1


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (replace(GATHERED, values=list(range(6)) * 50), None),
        (replace(GATHERED, values=[0, 0, 3, 1, 1, 4] * 40), "over 64 runs"),
        (replace(GATHERED, options=(("axis", 1), ("batchDims", 1))), "batch dimensions 1"),
        (replace(GATHERED_ND, values=[(0, 5)]), None),
        (replace(GATHERED_ND, values=[(0, 2), (0, 5), (0, 5), (0, 1)] * 40), "over 64 runs"),
        (replace(GATHERED_ND, values=[(0, 6)]), r"places beyond \[1, 6\]"),
        (replace(GATHERED_ND, values=[(0, -1)]), r"places beyond \[1, 6\]"),
    ],
)
def test_what_is_refused(tmp_path: Path, case: Arrangement, words: str | None) -> None:
    path = tmp_path / "case.tflite"
    path.write_bytes(case.build().bytes())
    if words is None:
        load_graph(path)
        return
    with pytest.raises(UserError, match=words):
        load_graph(path)
