# SPDX-License-Identifier: Apache-2.0
"""The inputs that verify chooses, the model without its softmax, and the counting of differing values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codegen.model.graph import Quantization, Tensor
from codegen.passes.legalise import load_graph
from workbench.verify.outputs import compare, on_boundaries, probes
from workbench.verify.reference import ReferenceInterpreter
from workbench.verify.unsquashed import without_squashing


def test_compare_counts_values() -> None:
    expected = np.array([[1, 2, -128], [4, 5, 127]], np.int8)
    found = np.array([[1, 2, 127], [4, 6, 126]], np.int8)
    result = compare(expected, found, ["a", "b"])
    assert (result.inputs, result.compared, result.differing, result.largest, result.distinct) == (
        2,
        6,
        3,
        255,
        6,
    )
    assert result.first is not None
    assert (result.first.input, result.first.name, result.first.output) == (0, "a", (2,))
    assert (result.first.expected, result.first.found) == (-128, 127)
    assert compare(expected, expected, ["a", "b"]).first is None


def test_compare_sees_a_bit_of_a_float() -> None:
    expected = np.array([[0.0, 1.5], [2.0, 3.0]], np.float32)
    assert compare(expected, expected.copy(), ["a", "b"]).differing == 0
    negative = expected.copy()
    negative[0, 0] = -0.0  # equal as a number, not as bits
    found = compare(expected, negative, ["a", "b"])
    assert (found.differing, found.first.output if found.first else None) == (1, (0,))


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_probes_reach_every_edge(dtype: str) -> None:
    info = np.iinfo(dtype)
    tensor = Tensor(0, "in", (1, 15, 20, 1), dtype, Quantization((1.0,), (3,)))
    inputs, names = probes(tensor, 50, seed=1)
    assert inputs.dtype == dtype
    assert inputs.shape == (len(names), 15, 20, 1)
    rows = inputs.reshape(len(names), -1)
    by_name = dict(zip(names, rows, strict=True))
    assert (by_name["all lowest"] == info.min).all()
    assert (by_name["all highest"] == info.max).all()
    assert (by_name["all zero point"] == 3).all()
    assert set(by_name["saw"]) == set(range(info.min, info.max + 1))
    assert by_name["ramp"][0] == info.min
    assert by_name["ramp"][-1] == info.max
    assert (np.diff(by_name["ramp"].astype(int)) >= 0).all()
    hot = [row for name, row in by_name.items() if name.startswith("zero point but")]
    assert len(hot) >= 16
    assert all(sorted(row)[:-1] == [3] * 299 and max(row) == info.max for row in hot)
    random = np.array([row for name, row in by_name.items() if name.startswith("random")])
    assert len(random) == 50
    assert set(random.reshape(-1)) == set(range(info.min, info.max + 1))
    again, _ = probes(tensor, 50, seed=1)
    other, _ = probes(tensor, 50, seed=2)
    assert np.array_equal(inputs, again)
    assert not np.array_equal(inputs, other)


def test_probes_of_one_value() -> None:
    inputs, names = probes(Tensor(0, "in", (1, 1), "int8", Quantization((1.0,), (0,))), 3, seed=0)
    assert inputs.shape == (len(names), 1)


def test_boundaries_lie_between_two_classes(model: Path) -> None:
    graph = load_graph(model)
    inputs, _ = probes(graph.input, 100, seed=0)
    with ReferenceInterpreter(model) as reference:
        outputs = reference.run(inputs)
        found = on_boundaries(reference, inputs, outputs, 40, seed=0)
        classes = reference.run(found).argmax(axis=1)
    assert len(found) == 40
    near, far = found[:20].astype(int), found[20:].astype(int)
    assert np.abs(near - far).max() <= 2
    assert (classes[:20] != classes[20:]).all()


def test_the_cut_model_ends_before_its_softmax(model: Path, tmp_path: Path) -> None:
    whole = load_graph(model)
    cut = without_squashing(model, whole)
    assert cut is not None
    assert cut.op == "SOFTMAX"
    assert [node.op for node in cut.graph.nodes] == [node.op for node in whole.nodes][:-1]
    row = np.arange(10, dtype=np.int8).reshape(1, 10)
    with ReferenceInterpreter(model) as reference:
        logits = reference.tensors(row[0])[whole.nodes[-1].inputs[0]]
    with ReferenceInterpreter(cut.name, content=cut.graph.content) as reference:
        assert np.array_equal(reference.run(row), logits)
    assert without_squashing(cut.name, cut.graph) is None
