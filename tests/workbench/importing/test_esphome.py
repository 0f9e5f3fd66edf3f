# SPDX-License-Identifier: Apache-2.0
"""A published wake word from its manifest to its detections, beside the publisher's own chain."""

from __future__ import annotations

import csv
import json
import shutil
import tomllib
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.board.description import load_board
from tests.support.cli import earshot, refused
from tests.support.publisher import publisher, require_its_logarithm
from tests.support.shared import shared
from tests.support.tools import need_tool
from workbench.audio.recording import read_audio
from workbench.host.features import open_pipeline
from workbench.importing.published import in_comment
from workbench.targets import RenodeOptions, open_app
from workbench.verify.reference_interpreter import LiteRT

CLIPS = 30  # of each word


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the command makes of alexa v2."""
    models = shared("models/microwakeword")
    folder = tmp_path_factory.mktemp("publisher")
    shutil.copy(models / "v2_alexa.json", folder / "alexa.json")
    shutil.copy(models / "v2_alexa.tflite", folder / "alexa.tflite")
    done = earshot("import", folder / "alexa.json", "-o", folder / "alexa")
    assert done.returncode == 0, done.stderr
    assert "3 new frames of 10 ms, cutoff 0.9 on the mean of 5" in done.stdout
    return folder / "alexa"


def clips(word: str, count: int) -> list[Path]:
    folder = shared("audio/keywords")
    with (folder / "labels.csv").open() as file:
        names = [row["file"] for row in csv.DictReader(file) if row["label"] == word]
    return [folder / name for name in sorted(names)[:count]]


def published_features(samples: NDArray[np.int16]) -> NDArray[np.int8]:
    """pymicro-features and ESPHome's integers."""
    return np.clip((publisher(samples) * 256 + 333) // 666 - 128, -128, 127).astype(np.int8)


def published_scores(model: Path, features: NDArray[np.int8]) -> NDArray[np.int64]:
    """TFLite's reference kernels, from a fresh start."""
    interpreter = LiteRT(model.read_bytes())
    starts = range(0, len(features) - 2, 3)
    return np.array([int(interpreter.one(features[start : start + 3]).ravel()[0]) for start in starts])


def test_the_same_scores_and_detections_as_the_publisher(app: Path) -> None:
    require_its_logarithm()
    pipeline = open_pipeline(app)
    found = {"alexa": 0, "computer": 0}
    for word in found:
        for clip in clips(word, CLIPS):
            samples = read_audio(clip, 16000)
            scores = published_scores(app / "model.tflite", published_features(samples))
            pipeline.reset()
            steps = [step for step in pipeline.steps(samples) if step.decided]
            assert [int(step.scores[0]) + 128 for step in steps if step.scores is not None] == scores.tolist()
            detected = bool((np.convolve(scores, np.ones(5), "valid") > 0.9 * 255 * 5).any())
            assert any(step.class_index for step in steps) == detected, clip
            found[word] += detected
    assert found["alexa"] > 0.9 * CLIPS
    assert found["computer"] == 0


def test_after_a_gap_the_model_begins_anew(app: Path) -> None:
    """Windows of silence are held back: what its variables hold would be of another time."""
    require_its_logarithm()
    word = read_audio(clips("alexa", 1)[0], 16000)
    word = np.where(word == 0, 1, word).astype(np.int16)
    samples = np.concatenate([word, np.zeros(6000, np.int16), word[5000:]])
    features = published_features(samples)
    passed = [bool(samples[160 * i : 160 * i + 480].any()) for i in range(len(features))]
    first = passed.index(False)
    again = passed.index(True, first)
    model = app / "model.tflite"
    expected = [*published_scores(model, features[:first]), *published_scores(model, features[again:])]

    pipeline = open_pipeline(app)
    pipeline.configure(0, 0, [127], 1)
    steps = [step for step in pipeline.steps(samples) if step.scores is not None]
    assert [int(step.scores[0]) + 128 for step in steps if step.scores is not None] == expected
    assert steps[first // 3].sequence == again + 2


def test_an_emulated_cortex_m4_detects_it_once(app: Path) -> None:
    need_tool("qemu-system-arm")
    clip = clips("alexa", 1)[0]
    here = earshot("replay", "--app", app, "--target", "pc", clip)
    there = earshot("replay", "--app", app, "--target", "qemu", clip)
    assert here.returncode == 0, here.stderr
    assert there.returncode == 0, there.stderr
    assert here.stdout == there.stdout
    assert here.stdout.count('"Label":"alexa"') == 1


def test_the_xg24_hears_it_through_its_own_microphone_in_real_renode(app: Path, tmp_path: Path) -> None:
    """I2S microphone, DMA, interrupt, front end, model: the decisions of this computer for the same sound."""
    need_tool("renode")
    samples = read_audio(clips("alexa", 1)[0], 16000)
    settling = np.zeros(dict(load_board("xg24").microphone)["settling"], np.int16)  # which the driver drops
    file = tmp_path / "sound.s16le"
    file.write_bytes(np.concatenate([settling, samples]).astype("<i2").tobytes())
    with open_app(app, "pc") as pc:
        expected = list(pc.replay(samples))
    (detected,) = (at for at, line in enumerate(expected) if '"Label":"alexa"' in line)
    expected = expected[: detected + 3]
    options = RenodeOptions(sound=file)
    with open_app(app, "renode", board="xg24", renode=options, timeout=600.0) as device:
        heard = list(islice(device.results(60.0), len(expected)))
        status = device.status()
    assert heard == expected
    assert (status["lost"], status["dropped"], status["errors"]) == (0, 0, 0)


def manifest() -> dict[str, Any]:
    micro = {"probability_cutoff": 0.9, "sliding_window_size": 5, "feature_step_size": 10}
    return {"type": "micro", "version": 2, "wake_word": "Alexa", "model": "m.tflite", "micro": micro}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda data: data.pop("wake_word"), 'lacks "wake_word"'),
        (lambda data: data.update(model="other.tflite"), "its model other.tflite is not beside it"),
        (lambda data: data.pop("micro"), 'has no "micro"'),
        (lambda data: data["micro"].pop("probability_cutoff"), "micro probability_cutoff: is missing; 0..1"),
        (lambda data: data["micro"].update(sliding_window_size=0), "sliding_window_size: is 0; 1..100"),
        (lambda data: data.update(version=1), "version 1"),
        (lambda data: data.update(type="\x1b[2J\n\ud800"), "type '\\x1b[2J\\n\\ud800', version 2"),
        (lambda data: data.update(model="a\x1b\n\ud800"), "its model a\\x1b \\ud800 is not beside it"),
        (lambda data: data.update(version=[1] * 99), "..; "),
        (lambda data: data.update(type="sound"), "type 'sound'"),
    ],
)
def test_what_a_manifest_lacks_is_told(
    change: Callable[[dict[str, Any]], Any], what: str, tmp_path: Path
) -> None:
    data = manifest()
    change(data)
    (tmp_path / "a.json").write_text(json.dumps(data))
    (tmp_path / "m.tflite").write_bytes(b"")
    assert what in refused("import", tmp_path / "a.json", "-o", tmp_path / "app")
    assert not (tmp_path / "app").exists()


def test_no_manifest_and_no_model(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[1]")
    assert "holds no JSON object" in refused("import", tmp_path / "a.json", "-o", tmp_path / "app")
    (tmp_path / "a.json").write_text(json.dumps(manifest()))
    (tmp_path / "m.tflite").write_bytes(b"nothing")
    assert "m.tflite" in refused("import", tmp_path / "a.json", "-o", tmp_path / "app")
    assert not (tmp_path / "app").exists()


def test_a_stranger_s_words_stay_in_their_comment() -> None:
    words = in_comment("Ann\r\nthreshold = 0\x1b[2J\x00\x85\u2028\ud800\té")
    assert words == "Ann threshold = 0\\x1b[2J\\x00 \\ud800 é"
    assert tomllib.loads(f"# {words}\n") == {}
