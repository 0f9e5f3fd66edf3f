# SPDX-License-Identifier: Apache-2.0
"""Slices, splits, concatenation, packing, transposition and padding against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.models.builder import Builder
from tests.support.exact import ONE_BATCH, Batch, Step, batches, check


def ints(values: Any) -> NDArray[np.int32]:
    return np.array(values, np.int32)


PLAIN = Step(0.1, 3)


@dataclass(frozen=True)
class Movement:
    """A model of one operator; `values`: its constants, `options`: its options.

    What a SPLIT or UNPACK makes is added up again, so that every part counts.
    """

    op: str
    shape: tuple[int, ...]
    values: tuple[Any, ...] = ()
    options: tuple[tuple[str, int], ...] = ()
    step: Step = PLAIN
    seed: int = 0

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        x = self._tensor(model, self.shape)
        constants = [model.constant(ints(value)) for value in self.values]
        options = dict(self.options)
        places = np.arange(int(np.prod(self.shape))).reshape(self.shape)
        if self.op in ("CONCATENATION", "PACK"):
            operands, arrays = [x], [places]
            random = np.random.default_rng(self.seed)
            for shape in self.values:
                data = random.integers(-128, 128, shape, dtype=np.int8)
                factor = model.constant(data, 1 / 64)
                made = self._tensor(model, shape)
                narrow = self._slice(model, x, shape)
                model.operator("MUL", [narrow, factor], [made], {"fusedActivationFunction": 0})
                operands.append(made)
                arrays.append(np.empty(shape))
            join = np.concatenate if self.op == "CONCATENATION" else np.stack
            y = self._tensor(model, join(arrays, options["axis"]).shape)
            if self.op == "PACK":
                options["valuesCount"] = len(operands)
            model.operator(self.op, operands, [y], options)
            return model.ends([x], [y])
        operands = [constants[0], x] if self.op == "SPLIT" else [x, *constants]
        if self.op in ("PAD", "PADV2"):
            before_after = ints(self.values[0])
            if self.op == "PADV2":
                data = np.array([self.values[1]], np.int8)
                operands[2] = model.constant(data, self.step.scale, self.step.zero_point)
            y = self._tensor(model, tuple(ints(self.shape) + before_after.sum(axis=1)))
            model.operator(self.op, operands, [y], {})
            return model.ends([x], [y])
        parts = [self._tensor(model, part) for part in self._parts(places, options)]
        model.operator(self.op, operands, parts, options)
        y = parts[0]
        for other in parts[1:]:
            flat, again = (self._flat(model, tensor) for tensor in (y, other))
            y = self._tensor(model, (1, self._size(model, flat) + self._size(model, again)))
            model.operator("CONCATENATION", [flat, again], [y], {"axis": 1, "fusedActivationFunction": 0})
        return model.ends([x], [y])

    def _tensor(self, model: Builder, shape: tuple[int, ...]) -> int:
        return model.tensor([int(size) for size in shape], "int8", self.step.scale, self.step.zero_point)

    def _size(self, model: Builder, tensor: int) -> int:
        return int(np.prod(model.graph.tensors[tensor].shape))

    def _flat(self, model: Builder, tensor: int) -> int:
        shape = (1, self._size(model, tensor))
        y = self._tensor(model, shape)
        model.operator("RESHAPE", [tensor, model.constant(ints(shape))], [y], {"newShape": list(shape)})
        return y

    def _slice(self, model: Builder, x: int, shape: tuple[int, ...]) -> int:
        """The first values of x in this shape, so that a second operand is computed."""
        if shape == self.shape:
            return x
        flat = self._flat(model, x)
        count = int(np.prod(shape))
        part = self._tensor(model, (1, count))
        model.operator(
            "SLICE", [flat, model.constant(ints([0, 0])), model.constant(ints([1, count]))], [part], {}
        )
        y = self._tensor(model, shape)
        model.operator("RESHAPE", [part, model.constant(ints(shape))], [y], {"newShape": list(shape)})
        return y

    def _parts(self, places: NDArray[Any], options: dict[str, int]) -> list[tuple[int, ...]]:  # noqa: PLR0911
        """Shapes of the outputs, from NumPy's own operations."""
        if self.op == "TRANSPOSE":
            return [places.transpose(self.values[0]).shape]
        if self.op == "STRIDED_SLICE":
            parts: list[Any] = []
            for axis, (begin, end, stride) in enumerate(zip(*self.values, strict=True)):
                bit = 1 << axis
                first = None if options["beginMask"] & bit else begin
                if options["shrinkAxisMask"] & bit:
                    parts.append(first or 0)
                    continue
                parts.append(slice(first, None if options["endMask"] & bit else end, stride))
            return [places[tuple(parts)].shape]
        if self.op == "SLICE":
            ends = [None if n == -1 else b + n for b, n in zip(*self.values, strict=True)]
            return [places[tuple(slice(b, e) for b, e in zip(self.values[0], ends, strict=True))].shape]
        if self.op == "SPLIT":
            return [part.shape for part in np.split(places, options["numSplits"], self.values[0])]
        if self.op == "SPLIT_V":
            return [part.shape for part in np.split(places, np.cumsum(self.values[0])[:-1], self.values[1])]
        if self.op == "UNPACK":
            return [np.delete(self.shape, options["axis"] % len(self.shape))] * options["num"]  # type: ignore[list-item]
        if self.op == "SQUEEZE":
            return [tuple(size for axis, size in enumerate(self.shape) if size > 1 or axis == 0)]
        return [tuple(np.expand_dims(places, self.values[0]).shape)]


JOINED = ("CONCATENATION", "PACK", "PAD", "PADV2", "SQUEEZE", "EXPAND_DIMS")
CUT = ("TRANSPOSE", "STRIDED_SLICE", "SLICE", "SPLIT", "SPLIT_V", "UNPACK")


@st.composite
def movements(draw: st.DrawFn, op: str) -> Movement:  # noqa: PLR0911 (one return an operator)
    """The operator, with a batch of 1 in front."""
    shape = (1, *draw(st.lists(st.integers(1, 6), min_size=1, max_size=3)))
    rank = len(shape)
    step = Step(0.1, draw(st.integers(-128, 127)))
    seed = draw(st.integers(0, 2**32 - 1))
    axis = draw(st.integers(0, rank - 1)) - draw(st.sampled_from((0, rank)))
    if op == "TRANSPOSE":
        order = (0, *draw(st.permutations(range(1, rank))))
        return Movement(op, shape, (tuple(order),), step=step)
    if op == "STRIDED_SLICE":
        begins, ends, strides, shrink = [0], [1], [1], 0
        for axis_, size in enumerate(shape[1:], 1):
            begin, count = draw(st.integers(0, size - 1)), 0
            stride = draw(st.sampled_from((1, 1, 2, -1)))
            count = draw(st.integers(1, size - begin)) if stride > 0 else draw(st.integers(1, begin + 1))
            end = begin + count if stride > 0 else begin - count
            if stride > 0 and draw(st.booleans()):
                shrink |= (1 << axis_) * draw(st.integers(0, 1)) if rank > 2 and shrink == 0 else 0
            begins.append(begin - size if draw(st.booleans()) else begin)
            ends.append(-size - 1 if end < 0 else end)
            strides.append(1 if shrink & (1 << axis_) else stride)
        masks = (("beginMask", draw(st.integers(0, 2**rank - 1))), ("endMask", 1), ("ellipsisMask", 0))
        options = (*masks, ("newAxisMask", 0), ("shrinkAxisMask", shrink))
        return Movement(op, shape, (tuple(begins), tuple(ends), tuple(strides)), options, step)
    if op == "SLICE":
        begins = [draw(st.integers(0, size - 1)) for size in shape]
        sizes = [
            draw(st.one_of(st.just(-1), st.integers(1, size - begin)))
            for size, begin in zip(shape, begins, strict=True)
        ]
        return Movement(op, shape, (tuple(begins), tuple(sizes)), step=step)
    if op == "SPLIT":
        count = draw(st.sampled_from([n for n in range(1, 7) if shape[axis] % n == 0]))
        return Movement(op, shape, (axis,), (("numSplits", count),), step)
    if op == "SPLIT_V":
        cuts = sorted(draw(st.sets(st.integers(1, max(1, shape[axis] - 1)), max_size=3)) - {shape[axis]})
        edges = [0, *cuts, shape[axis]]
        counts = tuple(b - a for a, b in pairwise(edges))
        return Movement(op, shape, (counts, axis), (("numSplits", len(counts)),), step)
    if op == "UNPACK":
        axis = draw(st.integers(1, rank - 1))
        return Movement(op, shape, (), (("num", shape[axis]), ("axis", axis)), step)
    if op == "CONCATENATION":
        axis = axis % rank
        room = int(np.prod(shape))
        others = [(*shape[:axis], draw(st.integers(1, shape[axis])), *shape[axis + 1 :]) for _ in range(2)]
        others = [other for other in others if np.prod(other) <= room]
        along = axis - draw(st.sampled_from((0, rank)))
        return Movement(
            op, shape, tuple(others), (("axis", along), ("fusedActivationFunction", 0)), step, seed
        )
    if op == "PACK":
        axis = draw(st.integers(1, min(rank, 3)))
        return Movement(op, shape[:3], (shape[:3],), (("axis", min(axis, len(shape[:3]))),), step, seed)
    if op in ("PAD", "PADV2"):
        pads = ((0, 0), *(draw(st.tuples(st.integers(0, 3), st.integers(0, 3))) for _ in shape[1:]))
        return Movement(op, shape, (pads, 5) if op == "PADV2" else (pads,), step=step)
    if op == "SQUEEZE":
        squeezed = [i for i, size in enumerate(shape) if size == 1 and i]
        return Movement(op, shape, (), (("squeezeDims", squeezed),) if squeezed else (), step)  # type: ignore[arg-type]
    return Movement("EXPAND_DIMS", shape, (draw(st.integers(1, rank)),), step=step)


@pytest.mark.parametrize("op", [*JOINED, *CUT])
def test_any_movement(op: str) -> None:
    @ONE_BATCH
    @given(batches(movements(op), 30))
    def each(cases: Batch) -> None:
        check(cases)

    each()


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    strided = (
        ("beginMask", 0),
        ("endMask", 0),
        ("ellipsisMask", 0),
        ("newAxisMask", 0),
        ("shrinkAxisMask", 0),
    )
    cases = [
        Movement("TRANSPOSE", (1, 3, 4, 5), ((0, 3, 1, 2),)),
        Movement("STRIDED_SLICE", (1, 6, 40), ((0, 5, 3), (1, 0, 35), (1, -2, 1)), strided),
        Movement("SPLIT", (1, 6, 4), (1,), (("numSplits", 3),)),
        Movement("UNPACK", (1, 3, 4), (), (("num", 3), ("axis", 1))),
        Movement("CONCATENATION", (1, 4, 5), ((1, 4, 2),), (("axis", 2), ("fusedActivationFunction", 0))),
        Movement("PAD", (1, 3, 4), (((0, 0), (1, 2), (3, 0)),)),
    ]
    check(cases, kernels=kernels, target="qemu")
