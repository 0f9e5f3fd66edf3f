# SPDX-License-Identifier: Apache-2.0
"""Takes: what of the microphone's sound they hold, and what becomes of them in the folder."""

from __future__ import annotations

import csv
import time
import wave
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from tests.support.browser import WAIT, page
from tests.support.studio import studio
from workbench.live.samples import Incoming, Take
from workbench.live.takes import Takes
from workbench.studio import recorder as module
from workbench.studio.folder import open_folder
from workbench.studio.labels import Labels
from workbench.studio.recorder import Recorded, Recorder

RATE, PIECE = 1000, 100
SOUND = np.arange(20 * RATE, dtype=np.int16)  # each sample is its own number


def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Three takes of 4 seconds of sound: one whole, one that is ended, one whose microphone vanishes. All is
    done in the recorder's own thread, between two pieces of sound."""
    recorder = Recorder()

    def listen(rate: int, size: int) -> Generator[NDArray[np.int16], None, None]:
        assert rate == RATE
        for number in range(40):
            if number == 15:
                recorder.begin("a knock", "train", 2)
            elif number in (30, 37):
                recorder.begin("click", "", 60)
            elif number == 35:
                recorder.finish()
            yield SOUND[number * PIECE : (number + 1) * PIECE]
        raise UserError("the microphone is gone")

    monkeypatch.setattr(module, "listen", listen)
    recorder.listen_here(RATE)
    while recorder.listening:  # until the microphone vanishes
        time.sleep(0.01)
    return recorder


def test_a_take_begins_a_second_early_and_never_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = recorded(monkeypatch)
    parts = [(one.take.samples[0], one.take.samples[-1] + 1, one.take.missing) for one in recorder.takes]
    assert parts == [(600, 2600, 0), (2600, 3600, 0), (3600, 4000, 0)]
    assert str(recorder.error) == "the microphone is gone"
    assert (recorder.listening, recorder.level, recorder.left) == (False, None, None)
    with pytest.raises(UserError, match="no microphone is open"):
        recorder.begin("click", "", 1)


def test_a_take_that_ends_before_its_first_sample_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()

    class Silent:
        """A device from which nothing comes."""

        incoming, rate, pumped = Incoming(), RATE, 0

        def pump(self) -> None:
            """See Ear."""
            self.pumped += 1
            if self.pumped == 1:
                recorder.begin("knock", "", 2)
            elif self.pumped == 2:
                recorder.finish()
            elif self.pumped == 4:
                raise UserError("it is gone")

        def finish(self, start: int, end: int) -> Take:
            """See Ear."""
            return self.incoming.cut(start, end)

        def stop(self) -> None:
            """See Ear."""

    monkeypatch.setattr(module, "ComputerEar", lambda rate: Silent())
    recorder.listen_here(RATE)
    while recorder.listening:
        time.sleep(0.01)
    assert str(recorder.error) == "it is gone"
    assert recorder.takes == []


def test_what_is_kept_is_in_the_folder_with_its_label(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recorder, labels = recorded(monkeypatch), Labels(open_folder(tmp_path))
    first, second, third = (one.number for one in recorder.takes)
    assert recorder.keep(first, labels) == tmp_path / "a_knock_001.wav"
    recorder.discard(second)
    recorder.keep(third, labels)
    assert recorder.takes == []
    with wave.open(str(tmp_path / "a_knock_001.wav")) as file:
        assert file.getframerate() == RATE
        assert file.readframes(RATE * 60) == SOUND[600:2600].tobytes()
    assert (tmp_path / "labels.csv").read_text() == (
        "file,start,end,label,session\na_knock_001.wav,0,2000,a knock,train\nclick_001.wav,0,400,click,\n"
    )
    with (tmp_path / "captures.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["file"], row["device"], row["missing"]) for row in rows] == [
        ("a_knock_001.wav", "computer", "0"),
        ("click_001.wav", "computer", "0"),
    ]
    with pytest.raises(UserError, match="there is no take"):
        recorder.keep(first, labels)
    with pytest.raises(UserError, match="there is no take"):
        recorder.discard(second)
    assert labels.undo()  # the label; the recording stays
    assert (tmp_path / "click_001.wav").exists()


def test_what_another_program_writes_meanwhile_costs_no_take(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recorder, labels = recorded(monkeypatch), Labels(open_folder(tmp_path))
    table, rows = tmp_path / "labels.csv", "file,start,end,label,session\n"
    first, second, _ = (one.number for one in recorder.takes)
    assert labels.files  # read, as the page has it
    rows += "x.wav,1,2,a,\n"
    table.write_text(rows)
    recorder.keep(first, labels)
    rows += "a_knock_001.wav,0,2000,a knock,train\n"
    assert table.read_text() == rows
    add = Takes.add

    def changed_just_now(takes: Takes, take: Take, rate: int) -> Path:
        table.write_text(f"{rows}y.wav,1,2,a,\n")
        return add(takes, take, rate)

    monkeypatch.setattr(Takes, "add", changed_just_now)
    recorder.keep(second, labels)
    assert table.read_text() == f"{rows}y.wav,1,2,a,\nclick_001.wav,0,1000,click,\n"


def test_a_take_waits_until_its_label_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recorder, labels = recorded(monkeypatch), Labels(open_folder(tmp_path))
    table, number = tmp_path / "labels.csv", recorder.takes[0].number
    table.write_bytes(b"file,start,end,label\n\xff.wav,1,2,a\n")
    for _ in range(2):
        with pytest.raises(UserError, match="is not UTF-8"):
            recorder.keep(number, labels)
        assert recorder.found(number).label == "a knock"
    table.unlink()
    assert recorder.keep(number, labels) == tmp_path / "a_knock_001.wav"
    assert [file.name for file in tmp_path.glob("*.wav")] == ["a_knock_001.wav"]
    assert table.read_text() == "file,start,end,label,session\na_knock_001.wav,0,2000,a knock,train\n"
    with pytest.raises(UserError, match="there is no take"):
        recorder.keep(number, labels)


def test_a_person_records_and_keeps(tmp_path: Path) -> None:
    """With a microphone that hears a tone."""
    fake = ROOT / "tests" / "support" / "fake_sounddevice"
    with studio(tmp_path, packages=fake) as address, page() as shown:
        shown.goto(f"{address}record")
        shown.get_by_placeholder("new label").fill("tone")
        shown.keyboard.press("Enter")
        shown.get_by_role("button", name="1 tone").wait_for()
        shown.get_by_label("seconds of a take").fill("1.5")
        shown.get_by_role("button", name="Listen").click()
        shown.get_by_text("-12 dB").wait_for()
        shown.get_by_role("button", name="Record (R)").click()
        shown.get_by_text("tone, 1.5 s").wait_for()
        place = shown.locator(".meter").bounding_box()
        shown.locator("audio").evaluate("sound => { sound.preload = 'auto'; sound.load(); }")
        shown.wait_for_function("document.querySelector('audio').duration === 1.5")
        shown.get_by_text("Takes that wait").click()
        for modifier in ("Alt", "Control", "Meta"):  # the browser's own, such as its address bar
            shown.keyboard.press(f"{modifier}+d")
        shown.keyboard.press("k")
        shown.get_by_text("tone_001.wav is written.").wait_for()
        assert shown.locator(".meter").bounding_box() == place
        shown.get_by_role("button", name="Stop").click()
        shown.get_by_text("nobody listens").wait_for()
    assert (tmp_path / "labels.csv").read_text() == (
        "file,start,end,label,session\ntone_001.wav,0,24000,tone,train\n"
    )


def test_a_new_segment_has_the_session_of_those_there_are(tmp_path: Path) -> None:
    """A first session among segments without one would leave them out of the training."""
    (tmp_path / "a.wav").write_bytes(Recorded(1, "", "", Take(SOUND, ()), RATE, {}).wav())
    table = tmp_path / "labels.csv"
    with studio(tmp_path) as address, page() as shown:
        for text, recorded_as, drawn_as in (
            ("file,start,end,label\n", "train", ""),
            ("file,start,end,label\na.wav,0,9,knock\n", "", ""),
            ("file,start,end,label,session\na.wav,0,9,knock,test\n", "train", "train"),
        ):
            table.write_text(text)
            for name, expected in (("label", drawn_as), ("record", recorded_as)):
                shown.goto(f"{address}{name}")
                field = shown.get_by_placeholder("session")
                field.wait_for()
                for _ in range(WAIT // 50):
                    if field.input_value() == expected:
                        break
                    shown.wait_for_timeout(50)
                assert field.input_value() == expected, (name, text)
