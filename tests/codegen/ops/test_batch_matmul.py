# SPDX-License-Identifier: Apache-2.0
"""BATCH_MATMUL against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.support.exact import ONE_BATCH, Batch, Step, batches, check, steps


@dataclass(frozen=True)
class Product:
    """A model of one BATCH_MATMUL of two slices of the input."""

    batches_a: tuple[int, ...]
    batches_b: tuple[int, ...]
    rows: int
    depth: int
    columns: int
    turned: tuple[bool, bool]
    constant: bool  # the second operand
    input_: Step
    output: Step
    seed: int

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = Builder()
        a = (*self.batches_a, *self._turned((self.rows, self.depth), turn=self.turned[0]))
        b = (*self.batches_b, *self._turned((self.depth, self.columns), turn=self.turned[1]))
        sizes = (int(np.prod(a)), 0 if self.constant else int(np.prod(b)))
        x = self._tensor(model, (1, sum(sizes)))
        first = self._part(model, x, 0, a)
        if self.constant:
            values = random.integers(-128, 128, b, dtype=np.int8)
            second = model.constant(values, self.input_.scale, self.input_.zero_point)
        else:
            second = self._part(model, x, sizes[0], b)
        batch = np.broadcast_shapes(self.batches_a, self.batches_b)
        shape = (*batch, self.rows, self.columns)
        y = model.tensor(shape, "int8", self.output.scale, self.output.zero_point)
        options = {"adjX": self.turned[0], "adjY": self.turned[1]}
        model.operator("BATCH_MATMUL", [first, second], [y], options)
        return model.ends([x], [y])

    def _tensor(self, model: Builder, shape: tuple[int, ...]) -> int:
        return model.tensor(shape, "int8", self.input_.scale, self.input_.zero_point)

    def _part(self, model: Builder, x: int, start: int, shape: tuple[int, ...]) -> int:
        size = int(np.prod(shape))
        part, made = self._tensor(model, (1, size)), self._tensor(model, shape)
        begin, count = (model.constant(np.array([n, m], np.int32)) for n, m in ((0, start), (1, size)))
        model.operator("SLICE", [x, begin, count], [part], {})
        model.operator(
            "RESHAPE", [part, model.constant(np.array(shape, np.int32))], [made], {"newShape": list(shape)}
        )
        return made

    @staticmethod
    def _turned(shape: tuple[int, int], *, turn: bool) -> tuple[int, int]:
        return shape[::-1] if turn else shape


@st.composite
def products(draw: st.DrawFn) -> Product:
    """Any of up to two axes of batches."""
    whole = tuple(draw(st.lists(st.integers(1, 3), max_size=2)))
    narrow = tuple(1 if draw(st.booleans()) else size for size in whole)
    wide_first = draw(st.booleans())
    input_ = draw(steps(-6, -1))
    depth = draw(st.integers(1, 12))
    ratio = float(np.float32(input_.scale**2 * depth**0.5 * draw(st.sampled_from((1, 40, 120)))))
    return Product(
        batches_a=(1, *(whole if wide_first else narrow)),
        batches_b=(1, *(narrow if wide_first else whole)),
        rows=draw(st.integers(1, 9)),
        depth=depth,
        columns=draw(st.integers(1, 9)),
        turned=(draw(st.booleans()), draw(st.booleans())),
        constant=draw(st.integers(0, 3)) == 0,
        input_=input_,
        output=Step(ratio, draw(st.integers(-128, 127))),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@ONE_BATCH
@given(batches(products()))
def test_any_product(cases: Batch) -> None:
    check(cases)
    check(cases[::4], reference=Reference.TFLM)


FIRST = Product((1, 2), (1, 2), 5, 7, 3, (False, True), False, Step(0.1, 5), Step(0.7, -3), 1)


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    cases = [FIRST, replace(FIRST, turned=(True, False)), replace(FIRST, rows=8, depth=16, constant=True)]
    check(cases, kernels=kernels, target="qemu")


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "case.tflite"
    path.write_bytes(replace(FIRST, output=Step(1e-12, 0)).build().bytes())
    with pytest.raises(UserError, match="32 bits"):
        load_graph(path)
