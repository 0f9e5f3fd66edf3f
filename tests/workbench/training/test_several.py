# SPDX-License-Identifier: Apache-2.0
"""evaluate of an app with two models: each is judged by its own labels, as an app with it alone is."""

from __future__ import annotations

import csv
import json
import shutil
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
