# SPDX-License-Identifier: Apache-2.0
"""Networks as TensorFlow's converter writes them with 16-bit activations, against the reference interpreter.

tests/models/converted/convert.py makes the files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codegen.model.graph import Graph
from tests.support.models_c import ModelsC
from tests.support.tally import tally_case
from workbench.verify.outputs import float_probes, probes
from workbench.verify.reference import ReferenceInterpreter

FILES = sorted((Path(__file__).parents[3] / "models" / "converted").glob("*.tflite"))


def made(graph: Graph, samples: int) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """Patterns, and random inputs."""
    take = float_probes(graph, graph.inputs[0], samples, 1) if graph.input.dtype == "float32" else None
    return take[0] if take is not None else probes(graph.input, samples, 1)[0]


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_every_value_is_the_references(target: str) -> None:
    assert len(FILES) == 4
    models = ModelsC(FILES, target=target)
    inputs = [made(graph, 30 if target == "pc" else 3) for graph in models.graphs]
    outputs = models.run(inputs)
    with ReferenceInterpreter(FILES[0]) as reference:
        for path, rows, found in zip(FILES, inputs, outputs, strict=True):
            reference.load(path)
            wanted = reference.run(rows)
            assert wanted.dtype == found.dtype, path.name
            assert wanted.tobytes() == found.tobytes(), path.name
            assert len(np.unique(wanted)) > 20, path.name
            tally_case(path, found.size, target)
