# SPDX-License-Identifier: Apache-2.0
"""Comparisons and SELECT_V2 row by row: truths slide as int8 do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from codegen.app.spec import Layout
from codegen.compile import run_passes
from codegen.emit.modes import mode_plan
from codegen.incremental import Incremental
from codegen.incremental.planner import row_by_row
from codegen.passes.legalise import load_graph
from tests.codegen.incremental.test_incremental import compare
from tests.models.branches import Branches, Picture
from tests.support.streams_c import App

FRAMES, CEPSTRA = 12, 8


def chosen(made: Branches, source: Picture, *, number: bool) -> Picture:
    """Where a picture is above another, or a number, that; elsewhere the picture."""
    other = made.function(source)
    limit = made.constant(np.array(0, np.int8), source.scale, source.zero_point) if number else other.index
    truth = made.tensor((1, source.rows, source.columns, source.depth), "bool")
    made.operator("GREATER", [source.index, limit], [truth])
    picked = made.picture(source)
    made.operator("SELECT_V2", [truth, source.index, other.index], [picked.index])
    return picked


def test_they_are_computed_by_the_newest_row(tmp_path: Path) -> None:
    apps = []
    for number in (False, True):
        made = Branches(5, FRAMES, CEPSTRA)
        picked = chosen(made, made.narrow(made.newest, 8, 4), number=number)
        path = tmp_path / f"m{number:d}.tflite"
        made.write(path, [made.input], [made.end_dense(made.conv(picked, along=2, depthwise=0, dilation=1))])
        apps.append(App(path, FRAMES, CEPSTRA, Layout.FRAMES_BY_CEPSTRA))
        graph = load_graph(path)
        planned = row_by_row(apps[-1].spec("m"), graph)
        assert isinstance(planned, Incremental)
        layers = mode_plan(replace(run_passes(apps[-1].spec("m"), graph), plan=planned)).layers
        modes = {graph.nodes[layer.layer].op: layer.incremental for layer in layers}
        assert modes["SELECT_V2"]
        assert number or modes["GREATER"]  # with a number it may be part of another layer
    assert compare(apps) > 40
