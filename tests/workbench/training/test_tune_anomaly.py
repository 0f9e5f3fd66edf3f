# SPDX-License-Identifier: Apache-2.0
"""tune for an app with [decision] kind = "anomaly": thresholds are compared with its errors."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec_file import load_spec
from codegen.app.tables.decision import ANOMALY_NEVER, Score
from tests.firmware.pipeline.test_decision_anomaly import app_in, pipeline_of
from tests.support.cli import earshot
from workbench.audio.synthesize import write_wav
from workbench.host.features import app_score
from workbench.training.pieces import Piece, Recording
from workbench.training.settings_file import threshold_of
from workbench.training.tune import Settings, Tuner, hear
from workbench.workers import Opened

RATE = 16000


def noise(seconds: int, loudness: float, seed: int) -> NDArray[np.int16]:
    return np.random.default_rng(seed).normal(0, loudness, seconds * RATE).astype(np.int16)


def bursts(seed: int) -> tuple[NDArray[np.int16], list[tuple[int, int]]]:
    """Twelve seconds of a hum, with a second of something else in every third; and where that is."""
    sound = noise(12, 900, seed)
    places = [(second * RATE, (second + 1) * RATE) for second in range(1, 12, 3)]
    for number, (start, end) in enumerate(places):
        sound[start:end] = np.resize(np.repeat([2000, -2000], 5 + 4 * (number % 2)), end - start)
    return sound, places


def test_the_threshold_is_the_best_there_is(tmp_path: Path) -> None:
    pipeline = pipeline_of(app_in(tmp_path / "hum", 1e5), tmp_path / "code")
    sound, places = bursts(1)
    pieces = tuple(Piece(tmp_path / "a.wav", start, end, 0, "a") for start, end in places)
    heard = [
        hear(Opened(None, pipeline), Recording(tmp_path / "a.wav", sound, pieces)),
        hear(Opened(None, pipeline), Recording(tmp_path / "b.wav", noise(30, 900, 2), ())),
    ]
    tuner = Tuner(pipeline, heard, unlabelled=False)
    tuned = tuner.tuned(400, Settings(200, 3, 1, (ANOMALY_NEVER,)))
    assert tuned is not None
    assert tuned.allowed == 0
    assert (tuned.before.labels[0].missed, tuned.after.labels[0].background) == (4, 0)
    # no threshold hears more of them without an error in the background that reaches it, whatever the gate
    quiet = [int(scores[0]) for _, _, scores in pipeline.decide(heard[1].features)]
    loud = [(window, int(scores[0])) for window, _, scores in pipeline.decide(heard[0].features)]
    above = [
        any(start <= window * 400 < end and error > max(quiet) for window, error in loud)
        for start, end in places
    ]
    assert tuned.after.labels[0].found >= sum(above) > 0
    assert tuned.settings.limits[0] > np.median(quiet)


def test_the_command_writes_an_error(tmp_path: Path) -> None:
    app = app_in(tmp_path / "hum", 1e5)
    sound, places = bursts(3)
    write_wav(tmp_path / "odd.wav", sound)
    write_wav(tmp_path / "hum.wav", noise(30, 900, 4))
    lines = [f"odd.wav,{start},{end},anomaly" for start, end in places]
    (tmp_path / "labels.csv").write_text("\n".join(["file,start,end,label", *lines]) + "\n")
    words = ("tune", "--app", app, "--labels", tmp_path / "labels.csv", "--background", tmp_path / "hum.wav")
    done = earshot(*words, "--false-alarms", "400", "--write", "--json")
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    (limit,) = reported["limits"]
    spec = load_spec(app)
    assert spec.pipeline is not None
    assert app_score(spec).limits(spec.pipeline.decision) == (limit,)
    assert reported["after"]["labels"][0]["found"] > reported["before"]["labels"][0]["found"] == 0
    assert reported["after"]["background"]["false_alarms"] == 0


def test_a_limit_beyond_what_the_file_takes_is_its_largest() -> None:
    assert threshold_of(ANOMALY_NEVER, Score(Fraction(4), 0, ANOMALY_NEVER)) == 1_000_000
