# SPDX-License-Identifier: Apache-2.0
"""RESHAPE, and the operators around it that are folded away."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from codegen.model.reader import read_graph
from codegen.passes.legalise import load_graph
from codegen.passes.lower import lower
from tests.models.builder import Builder
from tests.models.networks import Network, dense_only, tutorial_like
from tests.support.exact import check


@dataclass(frozen=True)
class Written:
    """A network as a case."""

    network: Builder
    name: str

    def build(self) -> Builder:
        """The model."""
        return self.network


def only_reshape() -> Builder:
    """A model that changes no byte."""
    model = Builder()
    x = model.tensor((1, 3, 4), "int8", 0.1, 0)
    shape = model.constant(np.array([1, 12], np.int32))
    y = model.tensor((1, 12), "int8", 0.1, 0)
    model.operator("RESHAPE", [x, shape], [y], {"newShape": [1, 12]})
    return model.ends([x], [y])


def reshaped_twice() -> Builder:
    """A reshaped tensor that two layers read."""
    network = Network(5, (1, 4, 4), 0.1, 3)
    network.flatten(dynamic=False)
    first = network.last
    network.dense(8)
    model: Builder = network
    total = model.tensor((1, 16), "int8", 0.2, 0)
    model.operator("ADD", [first, first], [total], {"fusedActivationFunction": 0})
    return model.ends([network.input], [total])


def test_reshapes() -> None:
    cases = [Written(only_reshape(), "only"), Written(reshaped_twice(), "twice")]
    for dynamic in (False, True):
        network = Network(7, (1, 3, 4, 2), 0.1, 3)
        network.conv(4, (2, 2))
        network.flatten(dynamic)
        network.dense(3)
        network.softmax()
        cases.append(Written(network.ends([network.input], [network.last]), f"flatten {dynamic}"))
    check(cases)


def test_a_computed_flatten_leaves_no_layer(tmp_path: Path) -> None:
    path = tutorial_like(tmp_path / "model.tflite", 1)
    assert {node.op for node in read_graph(path).nodes} >= {"SHAPE", "STRIDED_SLICE", "PACK", "RESHAPE"}
    program = lower(load_graph(path))
    kernels = [layer.kernel.removesuffix("_general") for layer in program.layers]
    assert kernels == [
        "conv_2d", "conv_2d", "table", "conv_2d", "conv_2d",
        "fully_connected", "fully_connected", "softmax",
    ]  # fmt: skip
    assert sum(layer.macs for layer in program.layers) == 428_736


@pytest.mark.parametrize("kernels", ["small", "fast"])
@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_whole_networks(tmp_path: Path, kernels: str, target: str) -> None:
    """The tutorial's network as both converters write it, its transpose, and dense layers alone."""

    @dataclass(frozen=True)
    class File:
        path: Path

        def build(self) -> Builder:
            """The model."""
            return _FromFile(self.path)

    files = [
        tutorial_like(tmp_path / "a.tflite", 1),
        tutorial_like(tmp_path / "b.tflite", 2, keras3=False),
        tutorial_like(tmp_path / "c.tflite", 3, shape=(20, 15)),
        dense_only(tmp_path / "d.tflite", 4),
    ]
    check([File(path) for path in files], kernels=kernels, target=target)


class _FromFile(Builder):
    """A file that was written before."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def bytes(self) -> bytes:
        """The file's content."""
        return self.path.read_bytes()
