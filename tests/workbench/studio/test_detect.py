# SPDX-License-Identifier: Apache-2.0
"""Events that the Label page finds in a recording, drawn as one step."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from tests.support.browser import page
from tests.support.bursts import LENGTH, RATE, SECOND, sound
from tests.support.studio import studio
from workbench.studio.folder import open_folder
from workbench.studio.labels import Labels


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
