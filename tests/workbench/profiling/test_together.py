# SPDX-License-Identifier: Apache-2.0
"""An app with two models, profiled: each takes what it takes in an image of its own, and they share the rest.

The two models are those of the examples, behind the same front end; what they take alone stands in the
examples' budgets.toml.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from codegen.common.paths import ROOT
from codegen.compile import compile_app
from tests.firmware.device.test_several_models import write_app
from tests.support.cli import refused
from tests.support.tools import need_tool
from workbench.profiling.budgets import accept, accepted, compare
from workbench.profiling.text import worst_verdict
from workbench.profiling.together import Together, profile_together, together_json, together_text

MODELS = {"door": "smart_lock", "words": "keywords"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_app(tmp_path_factory.mktemp("together"), "both")


@pytest.fixture(scope="module")
def found(app: Path) -> Together:
    need_tool("qemu-system-arm")
    need_tool("arm-none-eabi-gcc")
    return profile_together(app)


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    """The tables of budgets.toml by classifier."""
    texts = {
        name: (ROOT / "examples" / folder / "budgets.toml").read_text() for name, folder in MODELS.items()
    }
    return {name: tomllib.loads(text)["mps2_an386"] for name, text in texts.items()}


def test_each_model_takes_what_it_takes_alone(found: Together, alone: dict[str, Any]) -> None:
    assert found.names == tuple(MODELS)
    for name, model in zip(found.names, found.models, strict=True):
        budget = alone[name]["instructions"]
        counted = model.decisions
        # Where an object lies decides over a branch that is too far for its short form, and the like.
        for ours, allowed in (
            (counted.full, budget["full"]),
            (counted.incremental, budget["incremental"]),
            (model.front_end, sum(budget[stage] for stage in ("window", "gate", "mfcc", "scale"))),
        ):
            assert ours == pytest.approx(allowed, rel=0.001), name
        assert model.ram.state == alone[name]["ram"]["state"]


def test_together_the_front_end_is_counted_once(found: Together) -> None:
    decisions = [
        stage.instructions for model in found.models for stage in model.stages if stage.name == "decision"
    ]
    steady = [model.decisions.incremental or 0 for model in found.models]
    assert found.steady == found.models[0].front_end + sum(steady) + sum(decisions)
    worst = sum(model.decisions.worst for model in found.models)
    assert found.worst == pytest.approx(found.models[0].front_end + worst + sum(decisions), abs=20)
    assert found.margins[0].instructions == found.steady


def test_memory_is_shared_or_added(found: Together, app: Path) -> None:
    arenas = [model.ram.arena for model in found.models]
    planned = compile_app(app)
    assert arenas[1] == planned.others[0].plan.arena
    assert found.ram.arena == max(arenas)
    assert found.ram.state == sum(model.ram.state for model in found.models)
    assert found.ram.stack == max(model.ram.stack for model in found.models)
    assert found.ram.image == found.models[0].ram.image == found.models[1].ram.image


def test_a_person_and_a_script_read_the_same(found: Together) -> None:
    text, reported = together_text(found), json.loads(json.dumps(together_json(found)))
    for name, model in zip(found.names, found.models, strict=True):
        assert f"\n{name}, kernels {model.kernels}:\n" in text
        (own,) = (one for one in reported["classifiers"] if one["name"] == name)
        assert own["instructions"]["full"] == model.decisions.full
        assert f"{model.decisions.full:,}" in text
        assert own["ram"] == {"arena": model.ram.arena, "state": model.ram.state, "weights": 0}
        assert "flash" not in own
    assert "door, words together:" in text
    assert reported["together"] == {"window": found.steady, "worst_window": found.worst}
    assert f"{found.steady:,}" in text
    assert reported["ram"]["state"] == found.ram.state
    assert "40 windows a second, all models awake: " in text
    assert worst_verdict(found.margins[0]) in text


def test_each_models_numbers_have_budgets(app: Path, found: Together, tmp_path: Path) -> None:
    assert 'has no numbers for the board "mps2_an386"' in refused("profile", "--app", app, "--check")
    accept(tmp_path, found)
    budgets = accepted(tmp_path, "mps2_an386")
    assert budgets is not None
    assert not [change for change in compare(found, budgets) if change.found != change.accepted]
    own = budgets.numbers["instructions"]
    for name, model in zip(found.names, found.models, strict=True):
        assert own[f"{name}.full"] == model.decisions.full
        assert own[f"{name}.incremental"] == model.decisions.incremental
        assert own[f"{name}.decision"] > 0
    assert (own["together"], own["together_worst"]) == (found.steady, found.worst)
    assert "decision" not in own
    text = (tmp_path / "budgets.toml").read_text()
    before = f"{found.models[1].decisions.full}"
    (tmp_path / "budgets.toml").write_text(text.replace(before, str(round(int(before) / 1.02)), 1))
    grown = [change for change in compare(found, accepted(tmp_path, "mps2_an386") or budgets) if change.grown]
    assert [change.name for change in grown] == [f"{found.names[1]}.full"]


def test_the_engine_tflm_runs_one_model(app: Path) -> None:
    assert "runs one classifier" in refused("profile", "--app", app, "--engine", "tflm")
