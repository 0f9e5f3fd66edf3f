# SPDX-License-Identifier: Apache-2.0
"""What a page says of a port that is taken or has another rate, of a recording that is gone or damaged, and
of a folder that may not be written."""

from __future__ import annotations

import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from tests.support.browser import page
from tests.support.studio import studio
from workbench.audio.recording import read_audio


@contextmanager
def port() -> Iterator[tuple[str, int]]:
    """A serial port at which nobody answers, and a handle that tells the rate to which it is set."""
    ours, theirs = os.openpty()
    try:
        yield os.ttyname(theirs), theirs
    finally:
        os.close(ours)
        os.close(theirs)


def test_live_and_device_open_a_port_at_the_rate_that_is_given(tmp_path: Path) -> None:
    with studio(tmp_path) as address, page() as shown:
        for name, button, said in (
            ("live", "Start", "nothing comes: is it an image"),
            ("device", "Who is there?", "nothing came within 5 seconds"),
        ):
            with port() as (device, handle):
                shown.goto(f"{address}{name}")
                shown.get_by_label("port", exact=True).fill(device)
                shown.get_by_label("baud", exact=True).fill("921600")
                shown.get_by_role("button", name=button).click()
                shown.get_by_text(said).wait_for()
                assert termios.tcgetattr(handle)[5] == termios.B921600
                if name == "live":
                    shown.get_by_role("button", name="Stop").click()
                    shown.get_by_role("button", name="Start").wait_for()


def test_a_recording_that_is_gone_is_told_on_the_label_page(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    soundfile.write(file, np.zeros(16000, np.int16), 16000)
    (tmp_path / "labels.csv").write_text("file,start,end,label\na.wav,0,9,knock\n")
    with studio(tmp_path, "--app", str(ROOT / "examples" / "smart_lock")) as address, page() as shown:
        shown.goto(f"{address}label")
        shown.get_by_role("button", name="a.wav (1)").wait_for()
        shown.get_by_role("checkbox", name="app").wait_for()
        file.unlink()
        shown.get_by_role("button", name="Detect").click()
        shown.get_by_role("alert").filter(has_text="a.wav: cannot be read: No such file").first.wait_for()
        shown.get_by_role("checkbox", name="app").click()
        shown.get_by_text("a.wav: cannot be read: No such file").nth(1).wait_for()


def test_a_port_that_another_program_has_is_told(tmp_path: Path) -> None:
    import serial  # as the program that has it

    with studio(tmp_path) as address, page() as shown, port() as (device, _):
        with serial.serial_for_url(device, exclusive=True):
            for name, button in (("record", "Listen"), ("live", "Start"), ("device", "Who is there?")):
                shown.goto(f"{address}{name}")
                if name == "record":
                    shown.get_by_label("which microphone").click()
                    shown.get_by_role("option", name="a board at a port").click()
                shown.get_by_label("port", exact=True).fill(device)
                shown.get_by_role("button", name=button).click()
                shown.get_by_text(f"{device}: the serial port cannot be opened: another program").wait_for()
                shown.get_by_text("End that program: a terminal").first.wait_for()
        shown.goto(f"{address}live")  # it has ended
        shown.get_by_label("port", exact=True).fill(device)
        shown.get_by_role("button", name="Start").click()
        shown.get_by_text("nothing comes: is it an image").wait_for()


def test_damaged_recordings_are_told_and_the_others_are_shown(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(-9999, 9999, 48000).astype(np.int16)
    soundfile.write(tmp_path / "whole.wav", noise, 16000)
    soundfile.write(tmp_path / "hole.flac", noise, 16000)
    flac = bytearray((tmp_path / "hole.flac").read_bytes())
    middle = len(flac) // 2
    flac[middle : middle + 200] = bytes(200)
    (tmp_path / "hole.flac").write_bytes(flac)
    (tmp_path / "cut.wav").write_bytes((tmp_path / "whole.wav").read_bytes()[:30])
    (tmp_path / "empty.wav").write_bytes(b"")
    with studio(tmp_path) as address, page() as shown:
        shown.goto(f"{address}label")
        for name in ("hole.flac", "cut.wav", "empty.wav"):
            shown.get_by_role("button", name=name).click()
            with pytest.raises(UserError) as told:
                read_audio(tmp_path / name, 16000, options=False)
            shown.get_by_text(str(told.value).splitlines()[0]).first.wait_for()
            if name == "hole.flac":
                shown.get_by_role("alert").filter(has_text="What lies before that is shown.").wait_for()
                shown.get_by_text("of 1.264 s").wait_for()
        shown.get_by_role("button", name="whole.wav").click()
        shown.get_by_text("of 3.000 s").wait_for()
        shown.get_by_role("alert").wait_for(state="hidden")


def test_nothing_is_lost_in_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    """A segment that is drawn is refused, a take waits on; when the rights are there both are written."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    soundfile.write(folder / "a.wav", np.zeros(16000, np.int16), 16000)
    folder.chmod(0o555)
    fake = ROOT / "tests" / "support" / "fake_sounddevice"
    with studio(folder, packages=fake, bound=True) as address, page() as shown:
        shown.goto(f"{address}label")
        shown.get_by_placeholder("new label").fill("tone")
        shown.keyboard.press("Enter")
        place = shown.locator("canvas").bounding_box()
        middle = (place["x"] + place["width"] / 2, place["y"] + 100)
        shown.get_by_text("of 1.000 s").wait_for()
        shown.mouse.click(*middle)
        shown.get_by_text(f"{folder}/labels.csv: cannot be written: Permission denied").wait_for()
        shown.goto(f"{address}record")
        shown.get_by_placeholder("new label").fill("tone")
        shown.keyboard.press("Enter")
        shown.get_by_label("seconds of a take").fill("1.5")
        shown.get_by_role("button", name="Listen").click()
        shown.get_by_text("-12 dB").wait_for()
        shown.get_by_role("button", name="Record (R)").click()
        shown.get_by_text("tone, 1.5 s").wait_for()
        shown.get_by_role("button", name="Keep").click()
        shown.get_by_text(f"{folder}: cannot be written: no right to").wait_for()
        shown.get_by_text("tone, 1.5 s").wait_for()
        assert sorted(file.name for file in folder.iterdir()) == ["a.wav"]
        folder.chmod(0o755)
        shown.get_by_role("button", name="Keep").click()
        shown.get_by_text("tone_001.wav is written.").wait_for()
        shown.get_by_role("button", name="Stop").click()
        shown.get_by_text("nobody listens").wait_for()
    assert (folder / "labels.csv").read_text() == (
        "file,start,end,label,session\ntone_001.wav,0,24000,tone,train\n"
    )
