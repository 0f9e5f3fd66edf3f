# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE that waits for another one: chains of operators in between, against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from codegen.model.reader import read_graph
from codegen.passes.legalise import load_graph
from codegen.passes.transposes import transposes_later
from tests.models.builder import Builder
from tests.support.exact import BATCHES, Batch, batches, check, layers_of

STEPS = (
    "table",
    "constant",
    "both",
    "pad",
    "squeeze",
    "expand",
    "mean",
    "kept mean",
    "slice",
    "join",
    "turn",
)
FUSED = {"fusedActivationFunction": 0}


@dataclass(frozen=True)
class Chain:
    """A tensor is turned, some steps follow, and it is turned again. seed: of axes, sizes and constants"""

    shape: tuple[int, ...]
    steps: tuple[str, ...]
    seed: int
    back: bool = True  # by the order that undoes the first, where the rank is still the same
    read: bool = False  # what was turned first is an output, too

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = _Chain(random)
        x = model.tensor(self.shape, "int8", 0.1, 3)
        order = random.permutation(len(self.shape))
        turned = last = model.turned(x, order)
        for step in self.steps:
            last = model.step(step, last)
        rank = len(model.shape(last))
        second = np.argsort(order) if self.back and rank == len(order) else random.permutation(rank)
        last = model.turned(last, second)
        return model.ends([x], [last, turned] if self.read else [last])


class _Chain(Builder):
    """Steps that all keep scale and zero point but for sums and products."""

    def __init__(self, random: np.random.Generator) -> None:
        super().__init__()
        self.random = random

    def shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(self.graph.tensors[tensor].shape)

    def made(self, shape: tuple[int, ...], scale: float = 0.1) -> int:
        return self.tensor(shape, "int8", scale, 3)

    def numbers(self, values: object) -> int:
        return self.constant(np.array(values, np.int32))

    def turned(self, tensor: int, order: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
        y = self.made(tuple(self.shape(tensor)[axis] for axis in order))
        self.operator("TRANSPOSE", [tensor, self.numbers(order)], [y])
        return y

    def step(self, name: str, x: int) -> int:
        """One operator more."""
        shape, random = self.shape(x), self.random
        axis = int(random.integers(len(shape)))
        if name == "table":
            y = self.made(shape)
            self.operator("LEAKY_RELU", [x], [y], {"alpha": 0.3})
        elif name == "constant":
            kept = tuple(size if random.integers(2) else 1 for size in shape)
            other = self.constant(random.integers(-128, 128, kept, dtype=np.int8), 0.02, -5)
            y = self.made(shape)
            op = ("ADD", "MUL", "SUB")[int(random.integers(3))]
            self.operator(op, [other, x] if random.integers(2) else [x, other], [y], FUSED)
        elif name == "both":
            y = self.made(shape)
            self.operator("ADD", [x, self.step("table", x)], [y], FUSED)
        elif name == "pad":
            pairs = np.zeros((len(shape), 2), np.int32)
            pairs[axis] = random.integers(0, 3, 2)
            y = self.made(tuple(int(size + pair.sum()) for size, pair in zip(shape, pairs, strict=True)))
            self.operator("PAD", [x, self.numbers(pairs)], [y])
        elif name == "slice":
            size = int(random.integers(1, shape[axis] + 1))
            begin, sizes = [0] * len(shape), list(shape)
            begin[axis], sizes[axis] = shape[axis] - size, size
            y = self.made(tuple(sizes))
            self.operator("SLICE", [x, self.numbers(begin), self.numbers(sizes)], [y])
        elif name == "join":
            whole = (*shape[:axis], 2 * shape[axis], *shape[axis + 1 :])
            y = self.made(whole)
            options = {"axis": axis - len(shape) if random.integers(2) else axis, **FUSED}
            self.operator("CONCATENATION", [x, self.step("table", x)], [y], options)
        elif name == "turn":
            y = self.turned(x, random.permutation(len(shape)))
        else:
            y = self._of_another_rank(name, x, axis)
        return y

    def _of_another_rank(self, name: str, x: int, axis: int) -> int:
        shape = self.shape(x)
        if name.endswith("mean") and len(shape) > 2:
            keep = name == "kept mean"
            y = self.made((*shape[:axis], *((1,) if keep else ()), *shape[axis + 1 :]))
            self.operator("MEAN", [x, self.numbers([axis - len(shape)])], [y], {"keepDims": keep})
            return y
        new = (*shape[:axis], 1, *shape[axis:])
        if name == "squeeze" or len(shape) > 4:
            one = next((at for at, size in enumerate(shape) if size == 1), None)
            new = shape if one is None or len(shape) < 3 else (*shape[:one], *shape[one + 1 :])
        y = self.made(new)
        self.operator("RESHAPE", [x, self.numbers(new)], [y], {"newShape": list(new)})
        return y


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    """Any of them; the batch may be turned, too."""
    shape = (1, *draw(st.lists(st.integers(1, 5), min_size=2, max_size=3)))
    steps = draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=5))
    return Chain(
        shape, tuple(steps), draw(st.integers(0, 2**32 - 1)), draw(st.booleans()), draw(st.booleans())
    )


@BATCHES
@given(batches(chains()))
def test_any_chain(cases: Batch) -> None:
    check(cases)


def torch_like(path: Path) -> Path:
    """As litert-torch writes a Conv1d with its normalisation and a residual: channels first in between."""
    model = _Chain(np.random.default_rng(1))
    x = model.tensor((1, 1, 12, 8), "int8", 0.1, 3)
    y = model.turned(x, np.array([0, 3, 1, 2]))
    squeezed = model.made((1, 8, 12))
    model.operator("RESHAPE", [y, model.numbers([1, 8, 12])], [squeezed])
    scaled, shifted, padded = (model.made(shape) for shape in ((1, 8, 12), (1, 8, 12), (1, 8, 16)))
    factors = model.constant(np.arange(1, 9, dtype=np.int8).reshape(1, 8, 1), 0.1)
    model.operator("MUL", [squeezed, factors], [scaled], FUSED)
    model.operator("ADD", [scaled, squeezed], [shifted], FUSED)
    model.operator("PAD", [shifted, model.numbers([[0, 0], [0, 0], [4, 0]])], [padded])
    wide = model.made((1, 8, 1, 16))
    model.operator("RESHAPE", [padded, model.numbers([1, 8, 1, 16])], [wide])
    return model.write(path, [x], [model.turned(wide, np.array([0, 2, 3, 1]))])


def test_what_pytorch_turns_there_and_back_is_not_turned(tmp_path: Path) -> None:
    graph = load_graph(torch_like(tmp_path / "model.tflite"))
    assert [node.op for node in graph.nodes if node.op == "TRANSPOSE"] == []
    assert {"MUL", "ADD", "PAD"} <= {node.op for node in graph.nodes}


def test_a_turn_that_would_move_more_stays(tmp_path: Path) -> None:
    """Before a padding there are fewer values than after it."""
    model = _Chain(np.random.default_rng(1))
    x, y = model.made((1, 3, 4)), model.made((1, 6, 5))
    turned = model.turned(x, np.array([0, 2, 1]))
    model.operator("PAD", [turned, model.numbers([[0, 0], [2, 0], [1, 1]])], [y])
    graph = read_graph(model.write(tmp_path / "model.tflite", [x], [y]))
    assert transposes_later(graph) is graph


def test_a_cortex_m4_turns_them_alike(tmp_path: Path) -> None:
    cases = [Chain((1, 3, 4, 5), STEPS[at : at + 4], at, read=bool(at % 2)) for at in range(len(STEPS) - 3)]
    check(cases, target="qemu")
    assert len(layers_of(cases[0], tmp_path)) > 1
