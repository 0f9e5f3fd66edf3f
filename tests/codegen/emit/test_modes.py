# SPDX-License-Identifier: Apache-2.0
"""The printed plan: each layer's mode, and the numbers of the tutorial's network counted by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from codegen.app.spec import Layout
from codegen.compile import run_passes
from codegen.emit.modes import mode_plan, mode_table
from codegen.model.graph import Variable
from codegen.passes.legalise import load_graph
from tests.models.networks import tutorial_like
from tests.support.models_c import spec_of
from tests.support.streams_c import App, modes_of


def test_numbers_of_the_tutorials_network(tmp_path: Path) -> None:
    """One row of each convolution, the dense layers whole: 55,040 multiplications in place of 428,736."""
    app = App(tutorial_like(tmp_path / "m.tflite", 1), 15, 20, Layout.FRAMES_BY_CEPSTRA)
    modes = modes_of(app)
    assert (modes.macs, modes.full_macs, modes.reason) == (55040, 428736, "")
    assert [layer.incremental for layer in modes.layers] == [True] * 4 + [False] * 3
    assert [layer.macs for layer in modes.layers] == [1216, 18432, 8704, 4096, 22528, 64, 0]
    assert modes.arena + modes.state <= 6 * 1024
    assert 1 < modes.catch_up <= 15


def test_a_model_without_a_cascade_says_why(tmp_path: Path) -> None:
    graph = load_graph(tutorial_like(tmp_path / "m.tflite", 1))
    modes = mode_plan(run_passes(spec_of("m"), graph))
    assert modes.reason == "a bare model has no cascade that slides"
    assert all(layer.reason == modes.reason for layer in modes.layers)
    assert modes.macs == modes.full_macs == 428736
    assert modes.catch_up == 0


def test_a_model_with_a_state_is_computed_in_full(tmp_path: Path) -> None:
    app = App(tutorial_like(tmp_path / "m.tflite", 1), 15, 20, Layout.FRAMES_BY_CEPSTRA)
    state = Variable(0, "state", (1, 4), "int8", np.zeros((1, 4), np.int8))
    graph = replace(load_graph(app.model), variables=(state,))
    assert modes_of(app, graph).reason == "the model keeps state of its own"


def test_the_table_has_a_line_a_layer(tmp_path: Path) -> None:
    app = App(tutorial_like(tmp_path / "m.tflite", 1), 15, 20, Layout.FRAMES_BY_CEPSTRA)
    modes = modes_of(app)
    lines = mode_table(modes).splitlines()
    assert len(lines) == len(modes.layers) + 3
    assert lines[1].split()[:5] == ["conv1", "0", "CONV_2D", "incremental", str(modes.layers[0].state)]
    assert lines[-2].split()[-2:] == ["55040", "428736"]
