# SPDX-License-Identifier: Apache-2.0
"""What becomes of a training: which epoch and which model are kept; a whole one where TensorFlow is."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from codegen.app.contract import feature_contract
from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.passes.legalise import load_graph
from tests.support.cli import earshot, here, refused
from tests.support.training import TENSORFLOW, app_to_train, trainer, two_sessions
from toolbox import environment
from workbench.audio.synthesize import write_session
from workbench.commands import train
from workbench.own_folder import own_folder
from workbench.training import judge
from workbench.training.confusion import Confusion
from workbench.training.epochs import Epoch, best_epoch
from workbench.training.plot import plot_training
from workbench.training.recipe import FILE_NAME
from workbench.training.sets import NONE_WANTED, Set

EXAMPLE = ROOT / "examples" / "smart_lock"


# What is kept of a training


def test_the_best_epoch_is_kept() -> None:
    def course(*values: tuple[float, float]) -> list[Epoch]:
        return [Epoch(number, 1.0, *pair) for number, pair in enumerate(values, start=1)]

    assert best_epoch(course((0.5, 1.0), (0.829, 0.5), (0.792, 0.4))) == 2
    assert best_epoch(course((0.8, 0.5), (0.8, 0.4), (0.8, 0.6))) == 2
    assert best_epoch(course((0.8, 0.5), (0.8, 0.5))) == 2
    assert best_epoch([Epoch(1, 0.9, None, None), Epoch(2, 1.2, None, None)]) == 2


def test_the_course_of_a_training_is_drawn(tmp_path: Path) -> None:
    epochs = [Epoch(1, 1.2, 0.5, 1.0), Epoch(2, 0.8, 0.829, 0.6), Epoch(3, 0.7, 0.792, 0.8)]
    plot_training(epochs, 2, tmp_path / "curves.svg")
    text = (tmp_path / "curves.svg").read_text()
    for words in ("kept: epoch 2", "validation accuracy, %", "loss (cross-entropy)"):
        assert f"<!-- {words} -->" in text
    plot_training([Epoch(1, 1.2, None, None)], 1, tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 1000


TRIED = Set("test", (), ())
GOOD = Confusion(("a",), ((9, 1, 0),))
BAD = Confusion(("a",), ((8, 2, 0),))


@dataclass(frozen=True)
class Case:
    """The app's model, if it has one; what it and the new one decide; where both lie afterwards."""

    there: bool
    before: Confusion | None  # None: it does not fit the app
    now: Confusion
    written: str
    previous: str | None

    @property
    def taken(self) -> bool:
        return self.written == "model.tflite"


@pytest.mark.parametrize(
    "case",
    [
        Case(False, None, BAD, "model.tflite", None),
        Case(True, BAD, GOOD, "model.tflite", "model.previous.tflite"),
        Case(True, GOOD, GOOD, "model.tflite", "model.previous.tflite"),
        Case(True, GOOD, BAD, "model.new.tflite", None),
        Case(True, None, BAD, "model.tflite", "model.previous.tflite"),  # it fits no more
    ],
)
def test_a_model_is_replaced_by_one_that_is_no_worse(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: Case,
) -> None:
    def decide(*_: object) -> dict[str, judge.Decided]:
        if case.before is None:
            raise UserError("4 labels; the model has 3 outputs")
        return {"test": judge.Decided(case.before, ())}

    monkeypatch.setattr(judge, "decide", decide)
    spec, model = load_spec(EXAMPLE), tmp_path / "model.tflite"
    if case.there:
        model.write_bytes(b"old")
        model.with_suffix(".contract").write_text("0123\n")
        model.with_suffix(".card.md").write_text("# old\n")
    verdict = judge.judge(spec, model, None, [TRIED], {"test": case.now})
    assert not (tmp_path / "model.new.tflite").exists()
    judge.write(verdict, b"new", "4567", "# new\n")
    assert (verdict.taken, verdict.model.name) == (case.taken, case.written)
    assert (tmp_path / case.written).read_bytes() == b"new"
    assert (tmp_path / case.written).with_suffix(".contract").read_text() == "4567\n"
    assert (tmp_path / case.written).with_suffix(".card.md").read_text() == "# new\n"
    assert (verdict.previous.name if verdict.previous else None) == case.previous
    if case.there and not case.taken:
        assert (model.read_bytes(), model.with_suffix(".contract").read_text()) == (b"old", "0123\n")
    if case.previous:
        assert (tmp_path / case.previous).read_bytes() == b"old"
        assert (tmp_path / case.previous).with_suffix(".contract").read_text() == "0123\n"
        assert (tmp_path / case.previous).with_suffix(".card.md").read_text() == "# old\n"


def test_what_cannot_be_judged_stays_beside(tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(b"old")
    verdict = judge.judge(load_spec(EXAMPLE), model, None, [], {})
    assert (verdict.taken, verdict.model.name) == (False, "model.new.tflite")
    output = judge.judge(load_spec(EXAMPLE), model, tmp_path / "mine.tflite", [], {})
    assert (output.taken, output.model, output.previous) == (True, tmp_path / "mine.tflite", None)


def test_two_apps_of_one_name_have_folders_of_their_own(tmp_path: Path) -> None:
    apps = [tmp_path / where / "door" for where in ("a", "b")]
    for app in apps:
        app.mkdir(parents=True)
    first, second = (own_folder(tmp_path / "build", app) for app in apps)
    assert first == tmp_path / "build" / "door"
    assert second.name.startswith("door-")
    assert [own_folder(tmp_path / "build", app) for app in apps] == [first, second]
    shutil.rmtree(apps[0])
    third = tmp_path / "c" / "door"
    third.mkdir(parents=True)
    assert own_folder(tmp_path / "build", third) == first  # its app is gone


# The command


@pytest.mark.skipif(TENSORFLOW, reason="TensorFlow is here")
def test_input_is_looked_at_before_tensorflow_is_installed() -> None:
    message = refused("train", "--app", EXAMPLE, "--labels", "labels.csv")
    assert message == f"{ROOT / 'labels.csv'}: there is no such file\n"
    assert "no .tflite file" in refused("train", "--app", EXAMPLE, "--labels", "labels.csv", "-o", "model")


@pytest.mark.skipif(TENSORFLOW, reason="TensorFlow is here")
def test_a_training_runs_where_tensorflow_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []
    monkeypatch.setattr(
        environment, "make", lambda folder, lock, over_base=False: called.append((folder.name, lock.name))
    )
    monkeypatch.setattr(sys, "argv", ["earshot", "train", "--app", "x"])

    def execve(program: str, words: list[str], _: object) -> None:
        called.append((program, words[1:]))
        raise SystemExit

    monkeypatch.setattr(os, "execve", execve)
    labels = write_session(tmp_path, 7, recordings=1, count=1)
    parser = argparse.ArgumentParser()
    train.arguments(parser)
    with pytest.raises(SystemExit):
        train.run(parser.parse_args(["--app", str(EXAMPLE), "--labels", str(labels)]))
    python = str(ROOT / ".venv-train" / "bin" / "python")
    assert called == [
        (".venv-train", "train.lock"),
        (python, ["-P", "-m", "workbench", "train", "--app", "x"]),
    ]


RECIPE = """
[data]
validation = 0
synthetic = 1
[augmentation]
copies = 1
[fit]
epochs = 12
batch = 64
"""


def test_a_training(tmp_path: Path) -> None:
    python = trainer()
    app = app_to_train(tmp_path / "little_lock")
    (app / FILE_NAME).write_text(RECIPE)
    labels = two_sessions(tmp_path / "sounds")

    words = ["train", "--app", str(app), "--labels", str(labels), "--json"]
    command = [python, "-m", "workbench", *words]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    assert reported["contract"] == feature_contract(load_spec(app))
    assert (app / "model.contract").read_text() == f"{reported['contract']}\n"
    assert reported["int8"]["test"]["accuracy"] > 0.7
    assert abs(reported["int8"]["test"]["accuracy"] - reported["float"]["test"]["accuracy"]) < 0.1
    assert "epoch  12 of 12" in done.stderr
    written = (app / "model.card.md").read_text()
    assert hashlib.sha256((app / "model.tflite").read_bytes()).hexdigest() in written
    assert f"{100 * reported['int8']['test']['mean_sensitivity']:.1f} % by the firmware" in written
    assert "epoch 12 of 12 was kept" in written
    graph = load_graph(app / "model.tflite")
    assert [graph.input.shape, graph.output.shape] == [(1, 15, 20, 1), (1, 4)]

    again = earshot("evaluate", "--app", app, "--labels", labels, "--json")
    assert json.loads(again.stdout).items() >= reported["int8"]["test"].items()

    epochs = reported["taken"], reported["best_epoch"], len(reported["epochs"])
    assert epochs == (True, 12, 12)  # 12: no validation
    assert NONE_WANTED in done.stderr
    assert reported["sizes"]["int8"] == (app / "model.tflite").stat().st_size < reported["sizes"]["float"]
    assert sum(row["parameters"] for row in reported["layers"]) == 24_580
    assert (ROOT / "build" / "training" / app.name / "curves.svg").is_file()

    # Ctrl-C keeps what was learnt; -o leaves the app's model alone.
    (app / FILE_NAME).write_text(RECIPE.replace("epochs = 12", "epochs = 10000").replace("0\n", "0.3\n", 1))
    kept = (app / "model.tflite").read_bytes()
    words = [*words, "--anew", "-o", str(tmp_path / "candidate.tflite")]
    with subprocess.Popen(
        [python, "-m", "workbench", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stderr is not None
        assert run.stdout is not None
        lines = []
        for line in run.stderr:
            lines.append(line)
            if line.startswith("epoch   3 "):
                run.send_signal(signal.SIGINT)
        reported = json.loads(run.stdout.read())
    assert run.returncode == 130
    assert any("what was learnt is kept" in line for line in lines)
    assert reported["interrupted"] is True
    assert reported["fine_tuned"] == 0
    assert reported["best_epoch"] == best_epoch([Epoch(**epoch) for epoch in reported["epochs"]])
    assert (tmp_path / "candidate.tflite").read_bytes() != kept
    assert (app / "model.tflite").read_bytes() == kept
    assert reported["before"] is not None


def test_a_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """Twice on one machine; another seed gives another model."""
    python = trainer()
    app = app_to_train(tmp_path / "little_lock")
    labels = write_session(tmp_path / "sounds", 7, recordings=2, count=2)
    made = []
    for seed in (5, 5, 6):
        text = RECIPE.replace("epochs = 12", f"epochs = 1\nseed = {seed}").replace("synthetic = 1", "")
        (app / FILE_NAME).write_text(text)
        output = tmp_path / "made.tflite"
        words = ["train", "--app", str(app), "--labels", str(labels), "-o", str(output)]
        subprocess.run([python, "-m", "workbench", *words], cwd=ROOT, capture_output=True, check=True)
        made.append(output.read_bytes() + output.with_suffix(".card.md").read_bytes())
    assert made[0] == made[1] != made[2]


def test_a_killed_training_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    """As if nothing had happened; the same command afterwards begins from the start."""
    python = trainer()
    app = app_to_train(tmp_path / "little_lock")
    text = RECIPE.replace("epochs = 12", "epochs = 6").replace("synthetic = 1", "").replace("0\n", "0.3\n", 1)
    (app / FILE_NAME).write_text(text)
    labels = write_session(tmp_path / "sounds", 7, recordings=3, count=2)
    output = tmp_path / "made.tflite"
    command = [python, "-m", "workbench", "train", "--app", str(app), "--labels", str(labels)]
    command += ["-o", str(output), "--tensorboard", str(tmp_path / "runs")]

    def trained(*words: str) -> list[str]:
        done = subprocess.run([*command, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.splitlines()

    def course(lines: list[str]) -> list[str]:
        return [line for line in lines if line.startswith("epoch ")]

    whole = course(trained("--anew"))
    wanted = output.read_bytes() + output.with_suffix(".card.md").read_bytes()
    output.unlink()
    with subprocess.Popen([*command, "--anew"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if line.startswith("epoch   3 "):
                run.kill()
    again = trained()
    told = [line for line in again if "of an interrupted training" in line]
    assert len(told) == 1
    after = int(told[0].split()[4])
    assert 3 <= after < 6
    assert course(again) == whole[after:]
    assert output.read_bytes() + output.with_suffix(".card.md").read_bytes() == wanted
    assert course(trained()) == whole
    assert any((tmp_path / "runs").iterdir())


def test_a_search_that_is_killed_goes_on_to_the_same_front(tmp_path: Path) -> None:
    """Its candidates keep the budget, and each that is written trains as it was tried."""
    python = trainer()
    app = app_to_train(tmp_path / "little_lock")
    text = (
        RECIPE.replace("epochs = 12", "epochs = 3")
        .replace("synthetic = 1", "")
        .replace("copies = 1", "copies = 3")
        .replace("0\n", "0.3\n", 1)
    )
    (app / FILE_NAME).write_text(text)
    pipeline = (app / "pipeline.toml").read_text()
    (app / "pipeline.toml").write_text(pipeline.replace("threshold = 0.80", "threshold = 0.30"))
    labels = write_session(tmp_path / "sounds", 7, recordings=3, count=2)
    folder = own_folder(ROOT / "build" / "training", app) / "search"
    before = sorted(app.iterdir())
    command = [python, "-m", "workbench", "train", "--app", str(app), "--labels", str(labels)]
    words = ["--search", "3", "--most-instructions", "150000", "--json"]

    def searched() -> dict[str, Any]:
        done = subprocess.run([*command, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    whole = searched()
    trained = [one for one in whole["candidates"][1:] if one["mean"] is not None]
    assert len(trained) == 3
    means = {one["mean"] for one in whole["candidates"] if one["mean"] is not None}
    assert len(means) > 1, means
    assert all(one["instructions"] <= 150_000 for one in trained)
    assert whole == json.loads((folder / "search.json").read_text())
    assert (folder / "front.svg").is_file()
    shutil.rmtree(folder)
    with subprocess.Popen(
        [*command, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if line.startswith("Candidate 2"):
                run.kill()
    assert searched() == whole
    assert sorted(app.iterdir()) == before

    best = max((one for one in whole["candidates"] if one["mean"] is not None), key=lambda one: one["mean"])
    (app / FILE_NAME).write_text(best["recipe"])
    output = tmp_path / "best.tflite"
    done = subprocess.run(
        [*command, "-o", str(output), "--json"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    assert json.loads(done.stdout)["int8"]["validation"]["mean_sensitivity"] == best["mean"]


def test_a_cross_validation_tries_every_sound_once(tmp_path: Path) -> None:
    """All folds together decide what `evaluate` counts; the app is left as it was."""
    python = trainer()
    app = app_to_train(tmp_path / "little_lock")
    (app / FILE_NAME).write_text(RECIPE.replace("epochs = 12", "epochs = 2").replace("synthetic = 1", ""))
    labels = two_sessions(tmp_path / "sounds")
    before = sorted(app.iterdir())
    words = ["train", "--app", str(app), "--labels", str(labels), "--folds", "2"]
    command = [python, "-m", "workbench", *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    tried = [set(fold["tried"]) for fold in reported["folds"]]
    assert not tried[0] & tried[1]
    assert sum(map(len, tried)) == 12  # recordings of the session train
    supports = [fold["int8"]["support"] for fold in reported["folds"]]
    assert [sum(both) for both in zip(*supports, strict=True)] == reported["int8"]["support"]
    means = [fold["int8"]["mean_sensitivity"] for fold in reported["folds"]]
    assert reported["mean"] == pytest.approx(sum(means) / 2)
    assert sorted(app.iterdir()) == before


def test_folds_write_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("train", "--app", EXAMPLE, "--labels", "labels.csv", "--folds")
    assert here(*words, "5", "-o", "model.tflite") == 2
    reported = capsys.readouterr().err
    assert "--folds writes no model and tries the training session alone" in reported
    assert "Leave -o away." in reported
    done = earshot(*words, "1")
    assert done.returncode == 2
    assert "found '1'; a whole number, 2..20, is allowed" in done.stderr
    assert here(*words[:-1], "--search", "5", "--test", "other.csv") == 2
    assert "--search writes no model" in capsys.readouterr().err
    assert here(*words[:-1], "--most-ram", "9000") == 2
    assert "--most-ram is a budget of --search" in capsys.readouterr().err
