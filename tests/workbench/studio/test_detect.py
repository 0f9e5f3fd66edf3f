# SPDX-License-Identifier: Apache-2.0
"""Events that the Label page finds in a recording: where, above which threshold, and as one step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tests.support.browser import page
from tests.support.studio import studio
from workbench.studio.detect import Stretch, events, threshold
from workbench.studio.folder import open_folder
from workbench.studio.labels import Labels

RATE = 16000
SECOND = RATE
LENGTH = 8000  # of a segment: half a second


def sound(seconds: float, *bursts: tuple[int, int, int], noise: int = 20) -> NDArray[np.int16]:
    """Noise of this peak, with bursts: first sample, the one after the last, and their constant value."""
    made = np.resize(np.array([noise, -noise, noise // 2], np.int16), round(seconds * RATE))
    for start, end, value in bursts:
        made[start:end] = value
    return made


@pytest.mark.parametrize(
    ("seconds", "bursts"),
    [(1.25, ((3200, 4000), (14000, 14800))), (1.0, ((1000, 1800), (13000, 13800)))],
)
def test_an_event_within_the_segment_before_gets_none(
    seconds: float, bursts: tuple[tuple[int, int], ...]
) -> None:
    """No segment is empty, or lies over silence behind its event."""
    heard = sound(seconds, *((start, end, 5000) for start, end in bursts))
    (only,) = events(heard, RATE, 1000, SECOND)
    assert only.start <= bursts[0][0]
    assert only.end >= bursts[1][1]


def test_a_segment_lies_around_each_event() -> None:
    heard = sound(10, (SECOND, SECOND + 5, 5000), (3 * SECOND + 77, 3 * SECOND + 80, -32768))
    lead = LENGTH // 5
    assert events(heard, RATE, 600, LENGTH) == [
        Stretch(SECOND - lead, SECOND - lead + LENGTH),
        Stretch(3 * SECOND + 77 - lead, 3 * SECOND + 77 - lead + LENGTH),
    ]
    assert events(heard, RATE, 5000, LENGTH) == [
        Stretch(3 * SECOND + 77 - lead, 3 * SECOND + 77 - lead + LENGTH)
    ]  # as loud as the threshold is not louder
    assert events(heard, RATE, 32768, LENGTH) == []


def test_what_is_near_is_one_event_and_no_segment_lies_over_another() -> None:
    knocks = [(SECOND + at, SECOND + at + 100, 9000) for at in (0, 4000, 11000)]
    (one,) = events(sound(4, *knocks), RATE, 600, LENGTH)
    assert one.start == SECOND - LENGTH // 5
    assert 11100 <= one.end - SECOND < 11100 + RATE // 100
    long = events(sound(4, (8000, 9000, 900), (18000, 18001, 900)), RATE, 600, 2 * LENGTH)
    assert [(piece.start, piece.end) for piece in long] == [(4800, 20800)]  # it holds both
    apart = events(sound(4, (8000, 9000, 900), (20000, 21001, 900)), RATE, 600, 2 * LENGTH)
    assert [(piece.start, piece.end) for piece in apart] == [(4800, 20800), (20800, 36800)]
    ends = events(sound(1, (10, 11, 900), (SECOND - 5, SECOND, 900)), RATE, 600, LENGTH)
    assert [(piece.start, piece.end) for piece in ends] == [(0, 8000), (SECOND - 5 - LENGTH // 5, SECOND)]


def test_the_threshold_is_that_of_the_noise_the_app_or_the_recording() -> None:
    heard = sound(10, (SECOND, 2 * SECOND, 700), (3 * SECOND, 3 * SECOND + 9, -4000))
    assert threshold(heard, RATE, Stretch(SECOND, 2 * SECOND), 600) == 1400
    assert threshold(heard, RATE, None, 600) == 600
    assert threshold(heard, RATE, None, None) == threshold(heard, RATE, None, -1) == 60
    silent = np.zeros(RATE, np.int16)
    assert threshold(silent, RATE, Stretch(0, 9), None) == 2
    assert events(silent, RATE, threshold(silent, RATE, None, None), LENGTH) == []


def test_many_segments_are_one_step(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sound(3), RATE)
    labels = Labels(open_folder(tmp_path))
    labels.add_all(tmp_path / "a.wav", [(0, 10), (20, 30)], "knock", "train")
    whole = "file,start,end,label,session\na.wav,0,10,knock,train\na.wav,20,30,knock,train\n"
    assert (tmp_path / "labels.csv").read_text() == whole
    labels.undo()
    assert (tmp_path / "labels.csv").read_text() == "file,start,end,label,session\n"
    labels.redo()
    assert (tmp_path / "labels.csv").read_text() == whole


@pytest.mark.parametrize("noisy", [False, True])
def test_a_person_detects_events(tmp_path: Path, noisy: bool) -> None:
    """Beside a segment that is there; in the noise that is shown only what is louder than it."""
    heard = sound(
        10,
        (2 * SECOND, 3 * SECOND, 700),
        (5 * SECOND, 5 * SECOND + 9, 9000),
        (8 * SECOND, 8 * SECOND + 9, 9000),
    )
    soundfile.write(tmp_path / "a.wav", heard, RATE)
    table = tmp_path / "labels.csv"
    header = "file,start,end,label\n"
    there = "a.wav,127000,129000,click\n"
    table.write_text(header + there)
    with studio(tmp_path) as address, page() as shown:
        shown.goto(f"{address}label")
        place = shown.locator("canvas").bounding_box()
        shown.get_by_role("button", name="1 click").wait_for()
        if noisy:
            shown.keyboard.down("Shift")
            shown.mouse.move(place["x"] + 0.19 * place["width"], place["y"] + 100)
            shown.mouse.down()
            for share in (0.25, 0.31):
                shown.mouse.move(place["x"] + share * place["width"], place["y"] + 100)
            shown.mouse.up()
            shown.keyboard.up("Shift")
        shown.keyboard.press("e")
        said = "2 events louder than 1400, 1 in" if noisy else "3 events louder than 60, 1 in"
        shown.get_by_text(said).wait_for()
        click = f"a.wav,{5 * SECOND - LENGTH // 5},{5 * SECOND - LENGTH // 5 + LENGTH},click\n"
        burst = f"a.wav,{2 * SECOND - LENGTH // 5},{3 * SECOND},click\n"
        assert table.read_text() == header + there + ("" if noisy else burst) + click
        shown.keyboard.press("Control+z")
        shown.get_by_role("button", name="a.wav (1)").wait_for()
        assert table.read_text() == header + there
