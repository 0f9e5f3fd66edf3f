# SPDX-License-Identifier: Apache-2.0
"""`published`: what lies in folders, the publishers' rules by hand, and one model from sound to decision."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from codegen.app.spec import Decision
from codegen.common.errors import UserError
from codegen.compile import load_app
from tests.support.cli import earshot, refused
from tests.support.publisher import require_its_logarithm
from tests.support.shared import shared
from tests.support.tools import need_tool
from workbench.audio.recording import read_audio
from workbench.published import compare
from workbench.published.catalogue import AbsentError, Folders, Published, published_models
from workbench.published.compare import Differing, detections, differing, heard, make_app, published_scores
from workbench.published.publishers import PUBLISHERS
from workbench.published.table import HEADS, SKIPPED


def known(name: str) -> Published:
    return next(one for one in published_models() if one.name == name)


def test_a_model_is_known_by_its_content_and_a_sound_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    shutil.copy(shared("models/microwakeword/v2_alexa.tflite"), tmp_path / "deep/any name.tflite")
    for name in ("alexa_2.wav", "deep/er/alexa_1.wav", "deep/alexa_2.wav", "computer_1.wav"):
        (tmp_path / name).write_bytes(b"")
    folders = Folders([tmp_path])
    assert folders.model(known("alexa")).name == "any name.tflite"
    found = folders.sounds(["alexa_*"], None)
    assert [file.name for file in found] == ["alexa_1.wav", "alexa_2.wav"]
    assert [file.name for file in folders.sounds(["computer_*", "alexa_*"], 1)] == [
        "computer_1.wav",
        "alexa_1.wav",
    ]
    assert folders.file("er/alexa_1.wav") == tmp_path / "deep/er/alexa_1.wav"
    for wanted in (
        lambda: folders.model(known("vad")),
        lambda: folders.file("r/alexa_1.wav"),
        lambda: folders.sounds(["jarvis_*"], None),
    ):
        with pytest.raises(AbsentError, match=r"(in|of) the folders"):
            wanted()


def test_a_detection_lasts_until_nothing_was_heard_for_a_while() -> None:
    classes = [0, 1, 1, 0, 2, 1, 1, 0, 0, 0, 0, 1]
    assert detections(classes, ("word", "other"), ("word",), quiet=3) == {"word": 2}
    assert detections(classes, ("word", "other"), ("word", "other"), quiet=20) == {"word": 1, "other": 1}
    assert not detections([0, 2], ("word", "other"), ("word",), quiet=3)


def test_what_is_not_there_differs() -> None:
    expected = np.array([[1, 2], [3, 4], [5, 6]])
    assert differing(expected, expected) == Differing(6, 0, 0)
    assert differing(expected, np.array([[1, 2], [3, 7]])) == Differing(6, 3, 3)
    assert differing(expected[:0], expected) == Differing(6, 6, 0)
    assert Differing(6, 3, 3) + Differing(4, 1, 9) == Differing(10, 4, 9)


def test_the_rules_of_the_publishers() -> None:
    """esphome's sum of bytes is above the cutoff times 255; others take the largest above its threshold."""
    rule = PUBLISHERS["esphome"].decide
    decision = Decision(("word",), (Fraction(9, 10),), mean=2)
    scores = np.array([[255], [205], [254], [204], [255]])  # sums 255, 460, 459, 458, 459 of 459 and more
    assert rule(scores, decision).tolist() == [0, 1, 0, 0, 0]
    rule = PUBLISHERS["mlcommons"].decide
    decision = Decision(("word", "other"), (Fraction(95, 100), Fraction(0)))
    scores = np.array([[243, 13], [244, 12], [0, 255], [0, 0]])  # 243 of 256 is 0.949
    assert rule(scores, decision).tolist() == [0, 1, 2, 0]


def test_one_wake_word_from_sound_to_decision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    require_its_logarithm()
    need_tool("qemu-system-arm")
    monkeypatch.setattr(compare, "PLACE", tmp_path)
    published = known("alexa")
    folders = Folders([shared("models/microwakeword"), shared("audio/keywords")])
    app = load_app(make_app(published, folders.model(published)))
    assert app.spec.pipeline is not None
    assert app.graph.input.quantization is not None
    sounds = [read_audio(file, 16000) for file in folders.sounds(published.sounds, 2)]
    publisher = PUBLISHERS["esphome"]
    rows = publisher.features(folders, sounds, app.graph.input.quantization)
    scores = published_scores(publisher, app, rows)
    found = heard(published, app, sounds, rows, scores)
    assert found.published == found.pc == found.qemu == {"alexa": 2}
    for part in (found.features, found.scores, found.decisions):
        assert part.compared > 100
        assert part.differing == 0
    scores[1][7] += 1
    rows[0][5, 3] ^= 1
    changed = heard(published, app, sounds, rows, scores)
    assert (changed.features.differing, changed.scores.differing) == (1, 1)


def test_a_row_says_what_is_absent(tmp_path: Path) -> None:
    done = earshot("published", tmp_path)
    assert done.returncode == 0, done.stderr
    heads, _, *rows = done.stdout.strip().split("\n")
    assert heads == f"| {' | '.join(HEADS)} |"
    assert len(rows) == len(published_models())
    assert all(f"| {SKIPPED}: no .tflite in the folders is " in row for row in rows)


def test_bad_words_are_refused(tmp_path: Path) -> None:
    assert "is no folder" in refused("published", tmp_path / "nowhere")
    assert "--sounds 0 is out of range" in refused("published", tmp_path, "--sounds", "0")
    page = tmp_path / "page.md"
    assert "cannot be read" in refused("published", tmp_path, "--page", page)
    page.write_text("nothing\n")
    assert 'no place for the table "published"' in refused("published", tmp_path, "--page", page)
    with pytest.raises(UserError, match="is no folder"):
        Folders([page])
