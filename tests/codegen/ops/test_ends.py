# SPDX-License-Identifier: Apache-2.0
"""Models with several inputs and outputs against the reference interpreter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.models.graphs import Graphs
from tests.support.exact import ONE_BATCH, Batch, batches, check
from tests.support.models_c import ModelsC
from workbench.verify.packed import pack
from workbench.verify.reference import ReferenceInterpreter


@dataclass(frozen=True)
class Graph:
    """A random graph whose outputs are some of its tensors, perhaps its input and its last twice."""

    seed: int
    layers: int = 7

    def build(self) -> Builder:
        """The model."""
        model = Graphs(self.seed)
        model.network(self.layers)
        random = np.random.default_rng(self.seed)
        made = [picture.index for picture in model.made]
        chosen = random.choice(made, min(len(made), int(random.integers(1, 5))), replace=False)
        return model.ends([made[0]], [made[-1], *(int(index) for index in chosen)])


def graphs() -> st.SearchStrategy[Graph]:
    """Any."""
    return st.builds(Graph, st.integers(0, 2**32 - 1))


@ONE_BATCH
@given(batches(graphs(), 18))
def test_outputs_that_are_read_inside(cases: Batch) -> None:
    check(cases)


@ONE_BATCH
@given(batches(graphs(), 6))
def test_outputs_on_a_cortex_m4(cases: Batch) -> None:
    check(cases, kernels="fast", target="qemu")


@dataclass(frozen=True)
class Ends:
    """A model of three inputs of different sizes. outputs: of its tensors, by name"""

    outputs: tuple[str, ...]

    def build(self) -> Builder:
        """The model."""
        model = Builder()
        left = model.tensor((1, 6), "int8", 0.5, 3)
        right = model.tensor((1, 2, 3), "int8", 0.25, -9)
        through = model.tensor((1, 5), "int8", 0.1, 0)
        weights = model.constant(np.arange(-12, 12, dtype=np.int8).reshape(4, 6), 0.01)
        hidden = model.tensor((1, 4), "int8", 0.04, 0)
        dense = {"fusedActivationFunction": 0, "weightsFormat": 0, "keepNumDims": False}
        model.operator("FULLY_CONNECTED", [left, weights, -1], [hidden], dense)
        scores = model.tensor((1, 4), "int8", 1 / 256, -128)
        model.operator("SOFTMAX", [hidden], [scores], {"beta": 1.0})
        flat = model.tensor((1, 6), "int8", 0.25, -9)
        shape = model.constant(np.array([1, 6], np.int32))
        model.operator("RESHAPE", [right, shape], [flat], {"newShape": [1, 6]})
        total = model.tensor((1, 6), "int8", 0.8, 5)
        model.operator("ADD", [left, flat], [total], {"fusedActivationFunction": 0})
        bytes_ = model.tensor((1, 6), "uint8", 0.8, 133)
        model.operator("QUANTIZE", [total], [bytes_])
        reals = model.tensor((1, 6), "float32")
        model.operator("DEQUANTIZE", [total], [reals])
        best = model.tensor((1,), "int32")
        model.operator("ARG_MAX", [hidden, model.constant(np.array(1, np.int32))], [best], {"outputType": 2})
        fixed = model.constant(np.arange(7, dtype=np.int8)[None], 0.5, 1)
        made = {
            "hidden": hidden,
            "scores": scores,
            "flat": flat,
            "sum": total,
            "bytes": bytes_,
            "constant": fixed,
            "through": through,
            "reals": reals,
            "best": best,
            "left": left,
        }
        return model.ends([left, right, through], [made[name] for name in self.outputs])


ENDS = (
    Ends(("scores",)),
    Ends(("scores", "hidden")),
    Ends(("hidden", "scores", "sum")),
    Ends(("flat", "sum", "flat")),
    Ends(("through", "left", "sum")),
    Ends(("constant", "scores")),
    Ends(("scores", "best", "through", "reals")),
    Ends(("bytes", "sum", "constant", "through", "hidden")),
)


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_several_inputs_and_outputs(kernels: str) -> None:
    check(ENDS, kernels=kernels)


def test_several_on_a_cortex_m4() -> None:
    check(ENDS, target="qemu")


def _second(path: Path, shape: tuple[int, ...], signature: tuple[int, ...] | None = None) -> Path:
    """A model of an input of 1 x 6 and another of this shape, of 6 values; the sum of both."""
    model = Builder()
    x = model.tensor((1, 6), "int8", 0.5, 3)
    other = model.tensor(shape, "int8", 0.25, -9, name="other", signature=signature)
    flat, total = model.tensor((1, 6), "int8", 0.25, -9), model.tensor((1, 6), "int8", 0.8, 5)
    model.operator(
        "RESHAPE", [other, model.constant(np.array([1, 6], np.int32))], [flat], {"newShape": [1, 6]}
    )
    model.operator("ADD", [x, flat], [total], {"fusedActivationFunction": 0})
    return model.write(path, [x, other], [total])


def test_a_second_input_without_a_batch(tmp_path: Path) -> None:
    path = _second(tmp_path / "model.tflite", (6,))
    rows = np.random.default_rng(1).integers(-128, 128, (20, 2, 6), dtype=np.int8)
    packed = np.stack([pack(row) for row in rows])
    (found,) = ModelsC([path]).run([packed])
    with ReferenceInterpreter(path) as reference:
        assert np.array_equal(reference.run(packed), found)


@pytest.mark.parametrize(
    ("shape", "signature", "what"),
    [
        ((2, 3), None, "its first size is 2; it must be 1 where there are further sizes"),
        ((6,), (-1,), "the batch is 6; it must be 1"),
    ],
)
def test_a_second_input_of_several_rows(
    tmp_path: Path, shape: tuple[int, ...], signature: tuple[int, ...] | None, what: str
) -> None:
    with pytest.raises(UserError) as caught:
        load_graph(_second(tmp_path / "model.tflite", shape, signature))
    assert caught.value.what == what
    assert caught.value.place == "input tensor (other)"
