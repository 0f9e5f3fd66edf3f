# SPDX-License-Identifier: Apache-2.0
"""examples/keywords: its model is of its pipeline, slides, costs what is said, and hears its words."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from codegen.app.contract import feature_contract
from codegen.app.spec_file import load_spec
from codegen.common.paths import ROOT
from tests.support.cli import earshot
from tests.support.shared import shared
from workbench.profiling.budgets import accepted
from workbench.training.on_board import on_board

APP = ROOT / "examples" / "keywords"
WORDS = ("alexa", "computer", "jarvis")
MOST = 150_000  # instructions from a window's samples to its decision


def test_the_model_is_of_its_pipeline_and_slides() -> None:
    spec = load_spec(APP)
    assert (APP / "model.contract").read_text() == f"{feature_contract(spec)}\n"
    found = on_board(spec, spec.classifier.model.read_bytes(), APP)
    assert found.reason == ""
    assert found.instructions < found.full / 5


def test_a_decision_costs_what_was_accepted() -> None:
    budget = accepted(APP, "mps2_an386")
    assert budget is not None
    cost = budget.numbers["instructions"]
    once = sum(number for stage, number in cost.items() if stage not in ("full", "incremental", "worst"))
    assert once + cost["incremental"] <= MOST
    done = earshot("profile", "--app", APP, "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_words_are_heard_and_no_other(tmp_path: Path) -> None:
    """A part of the test clips, which the model has not learnt from."""
    folder = shared("audio/keywords")
    rows = [row for row in csv.DictReader((folder / "labels.csv").open()) if row["session"] == "test"]
    lines = ["file,start,end,label"]
    for word in (*WORDS, "snowboy"):
        for row in [row for row in rows if row["label"] == word][:8]:
            label = word if word in WORDS else "unknown"
            lines.append(f"{folder / row['file']},{row['start']},{row['end']},{label}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    done = earshot("evaluate", "--app", APP, "--labels", tmp_path / "labels.csv", "--stream", "--json")
    events = json.loads(done.stdout)["events"]
    assert {one["label"]: (one["found"], one["doubled"]) for one in events["labels"]} == dict.fromkeys(
        WORDS, (8, 0)
    )
    assert events["false_alarms"] == 0
