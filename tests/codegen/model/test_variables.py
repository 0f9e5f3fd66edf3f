# SPDX-License-Identifier: Apache-2.0
"""What lasts from run to run in a model that TensorFlow Lite Micro runs as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.model import variables
from codegen.model.reader import read_whole
from tests.models.builder import Builder
from workbench.verify import reference_interpreter


@pytest.mark.parametrize(("op", "lasts"), [("SignalStacker", 1), ("SignalEnergy", 0)])
def test_states_of_custom_operators_are_counted(tmp_path: Path, op: str, lasts: int) -> None:
    model = Builder()
    x, y = (model.tensor((1, 8), "int16", 0.1) for _ in range(2))
    model.operator(f"CUSTOM {op}", [x], [y])
    graph = read_whole(model.write(tmp_path / "model.tflite", [x], [y]))
    assert len(graph.variables) == lasts


def test_the_reference_resets_the_same_operators() -> None:
    """Its process imports nothing of Earshot's rooms, so it has a list of its own."""
    assert reference_interpreter.CUSTOM == variables.CUSTOM
