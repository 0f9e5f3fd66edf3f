# SPDX-License-Identifier: Apache-2.0
"""What a page says where a port has another rate, or a recording is gone."""

from __future__ import annotations

import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from codegen.common.paths import ROOT
from tests.support.browser import page
from tests.support.studio import studio


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
