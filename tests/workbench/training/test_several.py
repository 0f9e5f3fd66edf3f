# SPDX-License-Identifier: Apache-2.0
"""evaluate of an app with two models: each is judged by its own labels, as an app with it alone is."""

from __future__ import annotations

import csv
import json
import shutil
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.firmware.device.test_several_models import write_app
from tests.support.cli import earshot, refused
from workbench.audio.synthesize import write_session
from workbench.data.segment import Segment
from workbench.training.several import segments_of

DOOR, WORDS = ("keyboard_typing", "knocking", "mouse_click", "unknown"), ("alexa", "computer")


def segment(file: str, label: str, role: str = "") -> Segment:
    return Segment(Path(file), 0, 100, label, role=role)


def test_a_segment_of_another_model_is_unknown_or_has_no_label() -> None:
    known = {*DOOR, *WORDS}
    every = [
        segment("a", "knocking"),
        segment("b", "Alexa"),
        segment("c", "x", "computer"),
        segment("d", "dog"),
    ]
    door = segments_of(every, DOOR, known)
    assert [one.label for one in door.segments] == ["knocking", "unknown", "unknown", "dog"]
    assert [one.role for one in door.segments] == [""] * 4
    assert door.others == ()
    words = segments_of([*every, segment("a", "alexa"), segment("e", "knocking")], WORDS, known)
    assert [one.label for one in words.segments] == ["Alexa", "x", "dog", "alexa"]
    assert words.others == (Path("e"),)  # of "a" the alexa is played


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("apps")
    return {name: write_app(root, name) for name in ("both", "door", "words")}


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Events at a door with words among them; and the same as the model of words is to take them."""
    labels = write_session(tmp_path_factory.mktemp("sounds"), 41, recordings=1, count=2, session="test")
    with labels.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row, following in pairwise(rows):
        if row["file"] == following["file"]:
            row["end"] = following["start"]
    found = {}
    for name in ("both", "door", "words"):
        found[name] = labels.with_name(f"{name}.csv")
        with found[name].open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            for number, row in enumerate(rows):
                label = "alexa" if number % 3 == 0 else row["label"]
                if name == "words" and label != "alexa":
                    label = "unknown"
                if name == "door" and label == "alexa":
                    label = "unknown"
                writer.writerow({**row, "label": label})
    return found


def evaluated(app: Path, labels: Path, *more: str) -> dict[str, Any]:
    done = earshot("evaluate", "--app", app, "--labels", labels, "--json", *more)
    assert done.returncode == 0, done.stderr
    reported: dict[str, Any] = json.loads(done.stdout)
    return reported


def test_each_is_judged_as_in_an_image_of_its_own(apps: dict[str, Path], sounds: dict[str, Path]) -> None:
    both = evaluated(apps["both"], sounds["both"], "--threshold", "0.3")["classifiers"]
    assert list(both) == ["door", "words"]
    for name in both:
        assert both[name] == evaluated(apps[name], sounds[name], "--threshold", "0.3"), name
    assert np.sum(both["words"]["confusion"]) >= 5
    assert both["words"]["events"]["hours"] > 0
    assert both["door"]["labels"] != both["words"]["labels"]


def test_one_is_named(apps: dict[str, Path], sounds: dict[str, Path], tmp_path: Path) -> None:
    decided = tmp_path / "decided.csv"
    words = ("evaluate", "--app", apps["both"], "--labels", sounds["both"])
    done = earshot(*words, "--classifier", "words", "--decided", decided)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("By events: whole recordings")
    with decided.open(newline="") as file:
        assert {row["label"] for row in csv.DictReader(file)} == {"alexa", "unknown"}
    assert 'no classifier is named "window"' in refused(*words, "--classifier", "window")
    assert "There are door, words." in refused(*words, "--classifier", "window")
    assert "--decided writes what one model decides" in refused(*words, "--decided", decided)
    alone = ("evaluate", "--app", apps["words"], "--labels", sounds["words"], "--classifier", "words")
    assert "the app has one classifier" in refused(*alone)


def test_a_model_without_a_segment_of_its_own_is_told(apps: dict[str, Path], tmp_path: Path) -> None:
    labels = write_session(tmp_path / "sounds", 3, recordings=1, count=1, session="test")
    head, *rows = labels.read_text().splitlines()
    knocks = [row.replace(",knocking,", ",Mouse_click,") for row in rows if "knocking" in row]
    labels.write_text("\n".join([head, *knocks]) + "\n")
    app = shutil.copytree(apps["both"], tmp_path / "both")
    text = (app / "pipeline.toml").read_text()
    (app / "pipeline.toml").write_text(text.replace('"jarvis", "unknown"]', '"jarvis", "none"]'))
    told = refused("evaluate", "--app", app, "--labels", labels, "--classifier", "words")
    assert 'no segment has a label of the classifier "words"' in told
    assert "alexa, computer, jarvis, none" in told


def test_tune_chooses_for_one_as_if_it_ran_alone(
    apps: dict[str, Path], sounds: dict[str, Path], tmp_path: Path
) -> None:
    """Thresholds and votes of an app with it alone whose gate stays too; only its own section is written."""
    limits = ("--session", "test2", "--false-alarms", "3000", "--json")
    labels = {}
    for name, file in sounds.items():
        labels[name] = file.with_name(f"{name}_tuned.csv")
        labels[name].write_text(file.read_text().replace(",test", ",test2"))
    both = ("tune", "--app", apps["both"], "--labels", labels["both"], *limits)
    assert "the app has several classifiers" in refused(*both)
    assert "Name one: --classifier, door, words." in refused(*both)
    held = refused(*both[:-3], "--json", "--held-back", "--classifier", "door")
    assert "`train` takes apps with one classifier" in held
    for name in ("door", "words"):
        app = shutil.copytree(apps["both"], tmp_path / name)
        before = (app / "pipeline.toml").read_text()
        words = ("tune", "--app", app, "--labels", labels["both"], *limits)
        done = earshot(*words, "--classifier", name, "--write")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert list(found["chosen"]) == ["decision"]
        alone = json.loads(earshot("tune", "--app", apps[name], "--labels", labels[name], *limits).stdout)
        assert found["before"] == alone["before"]
        after = tomllib.loads((app / "pipeline.toml").read_text())
        was = tomllib.loads(before)
        own = {"door": 0, "words": 1}[name]
        assert after["classifier"][1 - own] == was["classifier"][1 - own]
        decision = after["classifier"][own]["decision"]
        assert decision["threshold"] == found["chosen"]["decision"]["threshold"]
        assert {key: value for key, value in after.items() if key != "classifier"} == {
            key: value for key, value in was.items() if key != "classifier"
        }


def test_inspect_draws_one_as_if_it_ran_alone(
    apps: dict[str, Path], sounds: dict[str, Path], tmp_path: Path
) -> None:
    recording = next(sounds["both"].parent.glob("*knocking*.wav"))
    assert "Name one: --classifier, door, words." in refused("inspect", "--app", apps["both"], recording)
    words = (recording, "-o", tmp_path / "words.svg", "--json")
    one = earshot("inspect", "--app", apps["both"], *words, "--classifier", "words")
    assert one.returncode == 0, one.stderr
    assert json.loads(one.stdout) == json.loads(earshot("inspect", "--app", apps["words"], *words).stdout)
    assert json.loads(one.stdout)["decisions"] > 0


def test_tune_tells_of_one_that_waits(apps: dict[str, Path], sounds: dict[str, Path], tmp_path: Path) -> None:
    app = shutil.copytree(apps["both"], tmp_path / "both")
    text = (app / "pipeline.toml").read_text()
    waits = 'name = "words"\nwaits_for = "door.knocking"\nstays = 40\n'
    (app / "pipeline.toml").write_text(text.replace('name = "words"\n', waits))
    labels = sounds["both"].with_name("here.csv")
    labels.write_text(sounds["both"].read_text().replace(",test", ",here"))
    words = ("--classifier", "words", "--session", "here", "--false-alarms", "3000")
    done = earshot("tune", "--app", app, "--labels", labels, *words)
    assert done.returncode == 0, done.stderr
    assert "remark: words waits for door.knocking; it is judged as if it always ran" in done.stderr
    assert "[classifier.decision]  # words" in done.stdout
    assert "[gate]" not in done.stdout


def test_tune_ignores_sound_without_a_label_where_it_is_told_to(
    apps: dict[str, Path], sounds: dict[str, Path], tmp_path: Path
) -> None:
    """Recordings of the other model's labels alone are such, to one that has no class `unknown`."""
    app = shutil.copytree(apps["both"], tmp_path / "both")
    text = (app / "pipeline.toml").read_text()
    (app / "pipeline.toml").write_text(text.replace('"jarvis", "unknown"', '"jarvis", "other"'))
    rows = list(csv.DictReader(sounds["both"].open(newline="")))
    labels = sounds["both"].with_name("ignored.csv")
    with labels.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            label = "alexa" if "knocking" in row["file"] else "knocking"
            writer.writerow({**row, "label": label, "session": ""})
    words = ("tune", "--app", app, "--labels", labels, "--classifier", "words", "--false-alarms", "5000")
    assert "There is none." in refused(*words, "--unlabelled", "ignore")
    assert earshot(*words, "--unlabelled", "background").returncode == 0
