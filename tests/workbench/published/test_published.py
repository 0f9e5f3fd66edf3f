# SPDX-License-Identifier: Apache-2.0
"""`published`: what lies in folders, the publishers' rules by hand, and one model from sound to decision."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile

from codegen.app.spec import Decision
from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.compile import App, load_app
from codegen.model.graph import Quantization
from tests.support.cli import earshot, refused
from tests.support.publisher import require_its_logarithm
from tests.support.shared import shared
from tests.support.tools import need_tool
from workbench.audio.recording import read_audio
from workbench.profiling.profile import Profile
from workbench.published import compare, publishers, table
from workbench.published.catalogue import AbsentError, Folders, Published, published_models
from workbench.published.compare import (
    Compared,
    Differing,
    Heard,
    detections,
    differing,
    heard,
    make_app,
    published_scores,
    recording,
)
from workbench.published.publishers import PUBLISHERS
from workbench.published.table import HEADS, SKIPPED, rows, same


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
    features = publisher.features(folders, sounds, app.graph.input.quantization)
    scores = published_scores(app, features)
    found = heard(published, app, sounds, features, scores)
    assert found.published == found.pc == found.qemu == {(0, "alexa"): 1, (1, "alexa"): 1}
    for part in (found.features, found.scores, found.decisions):
        assert part.compared > 50
        assert part.differing == 0
    scores[1][7] += 1
    features[0][5, 3] ^= 1
    changed = heard(published, app, sounds, features, scores)
    assert (changed.features.differing, changed.scores.differing) == (1, 1)


def test_a_row_says_what_is_absent(tmp_path: Path) -> None:
    done = earshot("published", tmp_path)
    assert done.returncode == 0, done.stderr
    heads, _, *printed = done.stdout.strip().split("\n")
    assert heads == f"| {' | '.join(HEADS)} |"
    assert len(printed) == len(published_models())
    assert all(f"| {SKIPPED}: no .tflite in the folders is " in row for row in printed)


def test_bad_words_are_refused(tmp_path: Path) -> None:
    assert "is no folder" in refused("published", tmp_path / "nowhere")
    assert "--sounds 0 is out of range" in refused("published", tmp_path, "--sounds", "0")
    page = tmp_path / "page.md"
    assert "cannot be renewed" in refused("published", tmp_path, "--page", page)
    page.write_bytes(b"\xff")
    assert "page.md: is no text in UTF-8" in refused("published", tmp_path, "--page", page)
    page.write_text("nothing\n")
    assert 'page.md: the page has no place for the table "published"' in refused(
        "published", tmp_path, "--page", page
    )
    with pytest.raises(UserError, match="is no folder"):
        Folders([page])


def test_a_page_keeps_its_table_where_a_model_is_absent(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- published -->\n| old |\n<!-- end -->\n")
    done = earshot("published", tmp_path, "--page", page)
    assert done.returncode == 2
    assert "page.md: keeps its table: of alexa, hey_jarvis" in done.stderr
    assert "| old |" in page.read_text()


WORD = Counter({(0, "word"): 1})
ALIKE = Heard(2, 3.0, WORD, WORD, WORD, Differing(9, 0, 0), Differing(9, 0, 0), Differing(9, 0, 0))


def row_of(exact: bool, **changes: Any) -> bool:
    """Whether a model of which this was heard is as its publisher has it."""
    publisher = replace(PUBLISHERS["esphome"], exact=exact)
    return same(Compared(cast(App, None), publisher, replace(ALIKE, **changes), cast(Profile, None)))


def test_what_is_not_as_the_publisher_has_it_is_told() -> None:
    assert row_of(True)
    elsewhere, once = Counter({(1, "word"): 1}), Differing(9, 1, 1)
    for name in ("published", "pc", "qemu"):
        assert not row_of(True, **{name: elsewhere})  # as many, in another sound
        assert not row_of(True, **{name: WORD + WORD})
    for name in ("features", "scores"):
        assert not row_of(True, **{name: once})
        assert row_of(False, **{name: once})  # computed in floats there
    assert not row_of(False, decisions=once)


def test_a_model_that_is_refused_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Compared:
        raise UserError("the generator | refuses it", file="m.tflite", remedy="Mend it.")

    monkeypatch.setattr(table, "compare", refuse)
    row = rows([tmp_path], None)[0]
    assert (row.same, row.skipped) == (False, False)
    assert row.cells[2] == "refused: the generator / refuses it"


def test_a_sound_shorter_than_a_decision_is_named(tmp_path: Path) -> None:
    pipeline = load_spec(ROOT / "examples/smart_lock").pipeline
    assert pipeline is not None
    soundfile.write(tmp_path / "short.wav", np.zeros(1000, np.int16), 16000)
    with pytest.raises(UserError, match=r"has 1,000 samples; a decision takes 6,000"):
        recording(tmp_path / "short.wav", pipeline)


def test_the_benchmarks_script_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stub in its place, run by this Python as by that with TensorFlow."""
    folder = tmp_path / "tiny/benchmark/training/streaming_wakeword"
    folder.mkdir(parents=True)
    script = folder / "get_dataset.py"
    script.write_text(
        "import numpy as np\n"
        "class Tensor(np.ndarray):\n"
        "    def numpy(self): return np.asarray(self)\n"
        "def get_lfbe_func(settings):\n"
        "    return lambda sound: np.full((2, settings['dct_coefficient_count']), sound.max()).view(Tensor)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(publishers, "tensorflow_python", lambda: Path(sys.executable))
    features = PUBLISHERS["mlcommons"].features
    (found,) = features(Folders([Path("tiny")]), [np.array([16384], np.int16)], Quantization((0.25,), (3,)))
    assert found.tolist() == [[5] * 40] * 2
    script.write_text("raise SystemExit('no features here')\n")
    with pytest.raises(UserError, match="ends with: no features here"):
        features(Folders([Path("tiny")]), [np.array([0], np.int16)], Quantization((0.25,), (3,)))
