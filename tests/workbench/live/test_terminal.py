# SPDX-License-Identifier: Apache-2.0
"""`earshot monitor` in a terminal: a picture that is drawn anew, single keys, and the terminal as it was."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest

from codegen.common.paths import ROOT
from tests.support.tutorial import noises
from toolbox.options import EXAMPLE
from workbench.audio.synthesize import write_wav

pytestmark = pytest.mark.xdist_group("images")

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_a_session_in_a_terminal(tmp_path: Path) -> None:
    """Sound in its own time; `q` ends it long before its minute is over."""
    write_wav(tmp_path / "sound.wav", np.concatenate([noises(4.0)] * 15))
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 110, 0, 0))
    before = termios.tcgetattr(other)
    words = ["monitor", "--target", "pc", "--app", str(EXAMPLE), "--wav", str(tmp_path / "sound.wav")]
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", *words],
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "110", "LINES": "40"},
        stdin=other,
        stdout=other,
        stderr=subprocess.PIPE,
    )
    shown = ""

    def until(pattern: str) -> None:
        """A test's own end is the limit; the program ends before it."""
        nonlocal shown
        while not re.search(pattern, ESCAPES.sub("", shown)):
            shown += os.read(main, 4096).decode("utf-8", "replace")

    try:
        until("opens above 600")
        until(r"gate open .*level \d+")
        until(r"\d+ decisions a second")
        assert termios.tcgetattr(other)[3] & termios.ICANON == 0, "a key comes without Enter"
        os.write(main, b"q")
        until(r"\d+ decisions in \d+\.\d s")
        assert process.wait() == 0
    finally:
        process.kill()
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    assert termios.tcgetattr(other) == before
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor is there again"
    for descriptor in (main, other):
        os.close(descriptor)
