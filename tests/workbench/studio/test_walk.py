# SPDX-License-Identifier: Apache-2.0
"""The whole way in a real browser, on the emulated board: record, label, train, build, watch, write back.

Each test is a part of it, goes on where the one before ended, and stands for itself, too."""

from __future__ import annotations

import csv
import math
import shutil
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from codegen.app.spec_file import load_spec
from tests.support.browser import page
from tests.support.studio import studio
from tests.support.tools import need_target
from tests.support.training import trainer, two_sessions
from toolbox.options import EXAMPLE
from workbench.audio.synthesize import RATE, events
from workbench.training.recipe import FILE_NAME

pytestmark = pytest.mark.xdist_group("images")

KNOCKS = events("knocking", 4, 5).samples
FEW_EPOCHS = """\
[data]
train_session = "train"
validation = 0.0

[fit]
epochs = 6
"""


@dataclass(frozen=True)
class Walk:
    """A studio, its page, and what lies on the disk."""

    shown: Any
    address: str
    folder: Path
    app: Path

    def choose(self, field: str, option: str) -> None:
        """One of the options of a field."""
        self.shown.get_by_label(field, exact=True).click()
        self.shown.get_by_role("option", name=option, exact=True).click()


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    need_target("qemu")
    base = tmp_path_factory.mktemp("walk")
    app = Path(shutil.copytree(EXAMPLE, base / "door"))
    with (app / "pipeline.toml").open("a") as stream:
        stream.write("\n[device]\ncapture = true\n")
    (app / FILE_NAME).write_text(FEW_EPOCHS)
    two_sessions(base / "sounds")
    soundfile.write(base / "sounds" / "knocks.wav", KNOCKS, RATE)
    soundfile.write(base / "sounds" / "long.wav", np.resize(KNOCKS, 300 * RATE), RATE)
    with studio(base / "sounds", "--app", str(app)) as address, page() as shown:
        yield Walk(shown, address, base / "sounds", app)


def labelled(folder: Path, file: str) -> list[dict[str, str]]:
    """The segments of a recording."""
    with (folder / "labels.csv").open(newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["file"] == file]


def test_a_take_of_the_emulated_board_is_kept_and_labelled(walk: Walk) -> None:
    """It is the sound that was played there, sample for sample; a click labels a part of it."""
    shown = walk.shown
    shown.goto(f"{walk.address}record")
    walk.choose("which microphone", "an emulated board, a recording")
    walk.choose("recording", "knocks.wav")
    shown.get_by_role("button", name="Listen").click()
    shown.get_by_label("seconds of a take").fill("2")
    shown.get_by_role("button", name="2 knocking").click()
    shown.locator("button:not([disabled])").filter(has_text="Record (R)").click()
    shown.get_by_text("knocking, 2.0 s").wait_for()
    shown.get_by_role("button", name="Keep").click()
    shown.get_by_text("knocking_001.wav is written.").wait_for()
    shown.get_by_role("button", name="Stop").click()
    shown.get_by_text("nobody listens").wait_for()
    with wave.open(str(walk.folder / "knocking_001.wav")) as file:
        assert (file.getframerate(), file.getnframes()) == (RATE, 2 * RATE)
        sound = file.readframes(2 * RATE)
    assert (np.resize(KNOCKS, 2 * len(KNOCKS)).tobytes().find(sound) + 1) % 2 == 1  # at a whole sample
    with (walk.folder / "captures.csv").open(newline="") as stream:
        known = next(csv.DictReader(stream))
    assert (known["file"], known["device"], known["played"]) == (
        "knocking_001.wav",
        "mps2_an386",
        "knocks.wav",
    )
    shown.goto(f"{walk.address}label?recording=knocks.wav")
    shown.get_by_role("button", name="2 knocking").click()
    place = shown.locator("canvas").bounding_box()
    shown.mouse.click(place["x"] + place["width"] * RATE / len(KNOCKS), place["y"] + 100)
    shown.get_by_text("8000 samples").wait_for()
    assert [row["label"] for row in labelled(walk.folder, "knocks.wav")] == ["knocking"]
    shown.keyboard.press("Control+z")
    shown.get_by_text("at 0.").wait_for()
    assert labelled(walk.folder, "knocks.wav") == []


def test_a_network_is_trained(walk: Walk) -> None:
    trainer()
    shown = walk.shown
    (walk.app / "model.tflite").unlink()
    shown.goto(f"{walk.address}train")
    shown.get_by_role("button", name="Train", exact=True).click()
    shown.get_by_text("train: done").wait_for()
    assert (walk.app / "model.tflite").is_file()


def test_the_image_is_built_and_its_decisions_are_watched(walk: Walk) -> None:
    """A threshold that is moved goes to the board and, when asked for, into pipeline.toml."""
    shown = walk.shown
    shown.goto(f"{walk.address}device")
    shown.get_by_role("button", name="Build").click()
    shown.get_by_text("board=mps2_an386: done").wait_for()
    shown.goto(f"{walk.address}live")
    walk.choose("what is watched", "an emulated board, a recording")
    walk.choose("recording", "long.wav")
    shown.get_by_role("button", name="Start").click()
    decided = shown.locator(".hero .class").filter(has_text="n")  # knocking, unknown, Unknown, ...
    decided.filter(has_not_text="listening").wait_for()
    slider = shown.locator(".slider").filter(has_text="knocking: threshold")
    slider.get_by_text("80.1%", exact=True).wait_for()  # 205 of 256
    slider.locator("[tabindex]").focus()
    shown.keyboard.press("ArrowLeft")
    slider.get_by_text("79.7%", exact=True).wait_for()  # as the board says: 204
    shown.get_by_role("button", name="Write into pipeline.toml").click()
    shown.get_by_text("[decision] threshold = ").wait_for()
    shown.get_by_role("button", name="Write", exact=True).click()
    shown.get_by_text("Written into").wait_for()
    shown.get_by_role("button", name="Stop").click()
    shown.get_by_role("button", name="Start").wait_for()
    spec = load_spec(walk.app)
    assert spec.pipeline is not None
    limits = [math.ceil(256 * share) for share in spec.pipeline.decision.thresholds]
    assert limits == [205, 204, 205, 205]
