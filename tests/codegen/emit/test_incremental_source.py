# SPDX-License-Identifier: Apache-2.0
"""The C of incremental models: a name of an app is no word of the generator's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from codegen.app.spec import Layout
from codegen.compile import run_passes
from codegen.emit.model import model_source
from codegen.passes.legalise import load_graph
from tests.models.networks import Network
from tests.support.streams_c import App


def plain_app(folder: Path, layout: Layout) -> App:
    """A pointwise convolution and a dense layer: a step needs no arena, or, scrambled, no time."""
    network = Network(1, (1, 6, 6, 1))
    network.conv(4, (1, 1))
    network.flatten(dynamic=False)
    network.dense(3)
    return App(network.save(folder / "model.tflite"), 6, 6, layout)


def source(app: App, name: str) -> str:
    return model_source(run_passes(replace(app.spec("m"), name=name), load_graph(app.model)), 0)


@pytest.mark.parametrize(
    ("name", "plain", "layout", "unused"),
    [
        ("time", "lock", Layout.SCRAMBLED, "(void)time;"),
        ("arena", "knock", Layout.FRAMES_BY_CEPSTRA, None),
    ],
)
def test_an_app_may_be_called_like_a_variable_of_the_step(
    tmp_path: Path, name: str, plain: str, layout: Layout, unused: str | None
) -> None:
    """The step declares what its calls use, whatever the app is called."""
    app = plain_app(tmp_path, layout)
    wanted = source(app, plain)
    for word in ("{}_", "/* {}:", '"{}.h"', 'name = "{}"'):
        wanted = wanted.replace(word.format(plain), word.format(name))
    assert source(app, name) == wanted
    body = wanted[wanted.index(f"{name}_step(const") : wanted.index(f"{name}_reset(void)")]
    assert "int8_t *const arena" not in body if unused is None else unused in body
