# SPDX-License-Identifier: Apache-2.0
"""A build that a full disk, a kill or an interrupt ends leaves nothing that a later one takes for its own."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clone import clone, scons

# of `earshot test --coverage`: workbench/house/coverage.py
pytestmark = pytest.mark.skipif(
    "GCOV_PREFIX" in os.environ, reason="no two images with counters in them are the same"
)

_LAYOUT = 'layout = "frames_by_cepstra"'
ASKED = ("threshold = 600", "threshold = 0.80", _LAYOUT, "votes = 1")
# Larger, too: of the files that are made anew the old ones' room is not enough.
OTHER = (
    "threshold = 50",
    "threshold = 0.10",
    f'{_LAYOUT}\nkernels = "fast"',
    "votes = 1\n\n[device]\ncapture = true",
)
SIZE = 16 << 20  # bytes of the small disk: a build of the board pc takes 2 MB
KILLS = int(os.environ.get("EARSHOT_KILLS", "3"))


class App:
    """A clone whose example is built for the board pc in some folder, with one of two settings."""

    def __init__(self, folder: Path, build: Path) -> None:
        self.root = clone(folder)
        self.build = build
        self._toml = self.root / "examples" / "smart_lock" / "pipeline.toml"
        self._text = self._toml.read_text()  # with what is ASKED
        self.words = ["board=pc", f"build={build}"]

    def set(self, settings: tuple[str, ...]) -> None:
        """ASKED or OTHER."""
        text = self._text
        for old, new in zip(ASKED, settings, strict=True):
            text = text.replace(old, new)
        self._toml.write_text(text)

    def made(self) -> str:
        """What a build that must succeed leaves: a hash over image and library."""
        done = scons(self.root, *self.words)
        assert done.returncode == 0, done.stdout + done.stderr
        files = (self.build / "pc" / "smart_lock" / name for name in ("firmware", "libearshot.so"))
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()

    def start(self) -> subprocess.Popen[bytes]:
        """A build that runs, in a group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "SCons", "-Q", *self.words],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root), "SCONSFLAGS": ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of SIZE bytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system can be mounted by root alone")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, free: int) -> Path:
    """A file that leaves about so many bytes."""
    stat = os.statvfs(disk)
    file = disk / "filler"
    with file.open("wb") as out:
        out.write(b"\0" * max(0, stat.f_bavail * stat.f_frsize - free))
    return file


def test_a_full_disk_leaves_no_image_of_other_settings(small_disk: Path, tmp_path: Path) -> None:
    """Whatever the disk has no room for: a source, an object, the image, or what SCons remembers of them."""
    app = App(tmp_path / "clone", small_disk / "build")
    wanted = app.made()
    failed = 0
    for free in (0, 16 << 10, 48 << 10, 96 << 10, 400 << 10):
        filler = fill(small_disk, free)
        app.set(OTHER)
        done = scons(app.root, *app.words)
        assert "Traceback" not in done.stderr, done.stderr
        failed += done.returncode != 0
        filler.unlink()
        app.set(ASKED)
        assert app.made() == wanted, f"{free} bytes were free"
    assert failed >= 2


def test_an_image_that_scons_cannot_remember_is_made_anew(small_disk: Path, tmp_path: Path) -> None:
    """All is built, only the signatures find no room: said, exit code 2, and never believed later."""
    app = App(tmp_path / "clone", small_disk / "build")
    wanted = app.made()
    app.set(OTHER)
    blocked = small_disk / "build" / "pc" / ".sconsign.tmp"  # where SCons writes them first
    blocked.mkdir()
    done = scons(app.root, *app.words)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "The next build makes all anew" in done.stderr
    assert "Traceback" not in done.stderr
    blocked.rmdir()
    app.set(ASKED)
    assert app.made() == wanted


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_build_that_is_ended_at_any_moment_leaves_nothing_stale(
    tmp_path: Path, number: signal.Signals
) -> None:
    """EARSHOT_KILLS=100 tries as many moments. The compilers that a killed SCons leaves may still write."""
    app = App(tmp_path / "clone", tmp_path / "build")
    wanted = app.made()
    app.set(OTHER)
    started = time.monotonic()
    app.made()
    seconds = time.monotonic() - started  # what such a build takes on this computer
    moments = random.Random(7)
    for _ in range(KILLS):
        app.set(OTHER)
        process = app.start()
        moment = moments.uniform(0.2, 1.0) * seconds
        time.sleep(moment)
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        process.wait()
        app.set(ASKED)
        assert app.made() == wanted, f"ended after {moment:.2f} of {seconds:.2f} s"


@pytest.mark.parametrize("words", [[], ["emulate"]], ids=str)
def test_ctrl_c_ends_a_build_with_one_line(tmp_path: Path, words: list[str]) -> None:
    """Nothing further is compiled, the exit code is a shell's for SIGINT."""
    root = clone(tmp_path / "clone")
    process = subprocess.Popen(
        [sys.executable, "-m", "SCons", "-Q", "board=pc" if not words else "board=mps2_an386", *words],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "SCONSFLAGS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("  CC "):
            break
    os.killpg(process.pid, signal.SIGINT)
    rest, errors = process.communicate()
    assert (process.returncode, errors) == (130, "earshot: interrupted\n")
    assert "  LD " not in rest
