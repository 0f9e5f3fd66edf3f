# SPDX-License-Identifier: Apache-2.0
"""Sounds that were marked otherwise than decided become labelled recordings."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.support.scripted_image import ScriptedImage
from tests.workbench.live.test_monitor import LABELS, decision
from workbench.data.captures import captures
from workbench.data.labels import read_labels
from workbench.live.clips import Clips
from workbench.live.events import Mark, Received
from workbench.live.monitor import Monitor
from workbench.live.sources import KEPT, SoundSource
from workbench.live.takes import Takes


class Heard:
    """Its sample is its number."""

    def cut(self, start: float, end: float) -> NDArray[np.int16]:
        """See Heard."""
        return np.arange(round(max(0.0, start) * 100), round(end * 100)).astype(np.int16)


def samples(file: Path) -> list[int]:
    with wave.open(str(file)) as read:
        return [int(one) for one in np.frombuffer(read.readframes(read.getnframes()), "<i2")]


def test_wrong_ones_are_kept_once_and_right_ones_are_not(tmp_path: Path) -> None:
    monitor = Monitor(LABELS)
    clips = Clips(Heard(), Takes(tmp_path, LABELS[0], "train", {}), 100)

    def happens(*events: Received | Mark) -> None:
        for event in events:
            monitor.take(event)
            clips.look(monitor)

    happens(Received(2.0, decision(1)), Received(2.5, decision(1)), Mark(3.0, "knocking"))
    assert clips.saved == 0  # the mark may be mended
    happens(Received(7.0, decision(2)), Mark(7.1, "knocking"), Received(12.0, decision(2)))
    happens(Mark(20.0, "typing"), Received(30.0, decision(1)), Mark(30.1, "knocking"), Mark(30.2, "typing"))
    clips.look(monitor, over=True)
    clips.look(monitor, over=True)
    assert clips.saved == 2
    first, second = tmp_path / "knocking_001.wav", tmp_path / "typing_001.wav"
    assert samples(first) == list(range(100, 280))
    assert samples(second) == list(range(1800, 2030))  # nothing was decided: before the key
    assert [(one.file, one.label) for one in read_labels(tmp_path / "labels.csv", 100)] == [
        (first, "knocking"),
        (second, "typing"),
    ]
    known = captures(tmp_path)
    assert (known[first]["decided"], known[second]["decided"]) == ("typing", "nothing")


def test_marks_of_each_of_several_models_are_kept(tmp_path: Path) -> None:
    """Also those of the one that is not shown."""
    monitor = Monitor(LABELS)
    clips = Clips(Heard(), Takes(tmp_path, LABELS[0], "train", {}), 100)
    words = '{"classifier":1,"name":"words","model":"2","contract":"b","frames":9,"labels":["yes","no"]}\n'
    line = decision(1).replace(b'"ModelNumber": 0', b'"ModelNumber": 1')
    monitor.take(Received(1.0, words.encode() + line))
    monitor.take(Mark(1.1, "no"))
    monitor.take(Received(2.0, decision(2)))
    monitor.take(Mark(2.1, "typing"))
    clips.look(monitor, over=True)
    assert clips.saved == 2
    assert {one.label for one in read_labels(tmp_path / "labels.csv", 100)} == {"no", "typing"}


def test_a_sound_that_is_not_there_any_more_is_no_recording(tmp_path: Path) -> None:
    class Forgot(Heard):
        def cut(self, start: float, end: float) -> NDArray[np.int16]:
            """See Heard."""
            return np.zeros(0, np.int16)

    monitor = Monitor(LABELS)
    for event in (Received(2.0, decision(1)), Mark(2.1, "knocking")):
        monitor.take(event)
    clips = Clips(Forgot(), Takes(tmp_path, LABELS[0], "train", {}), 100)
    clips.look(monitor, over=True)
    assert clips.saved == 0
    assert list(tmp_path.iterdir()) == []


def test_the_sound_of_the_last_seconds_is_there() -> None:
    rate = 100
    sound = np.arange(40 * rate).astype(np.int16)
    source = SoundSource(ScriptedImage(), iter([sound]), rate, fast=True)
    while not source.over:
        source.events(0.0)
    assert source.cut(30.0, 31.5).tolist() == list(range(3000, 3150))
    assert source.cut(39.0, 99.0).tolist() == list(range(3900, 4000))
    assert source.cut(0.0, 10.0).tolist() == []
    oldest = int(source.cut(0.0, 40.0)[0])
    assert 40 * rate - oldest >= KEPT * rate
    assert 40 * rate - oldest < (KEPT + 2) * rate
