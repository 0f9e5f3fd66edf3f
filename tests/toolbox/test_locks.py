# SPDX-License-Identifier: Apache-2.0
"""Who waits for a build says so, and for whom, also where what it prints is captured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codegen.common.paths import ROOT
from toolbox.locks import COMMAND, lock
from toolbox.options import EXAMPLE
from toolbox.scons import scons_environment

LOCK = "import sys; from pathlib import Path; from toolbox.locks import lock; "
HOLD = LOCK + "held = lock(Path(sys.argv[1]), ''); print(flush=True); sys.stdin.read()"
WAIT = LOCK + "lock(Path(sys.argv[1]), 'waiting')"
BUILD = "import sys; from pathlib import Path; from workbench.build import build; "
BUILD += "build('pc', Path(sys.argv[1]), Path(sys.argv[2]))"


def python(program: str, *words: str | Path) -> subprocess.Popen[str]:
    """A process of ours with stdin, stdout and stderr."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, words)],
        cwd=ROOT,
        env={**scons_environment(), COMMAND: "earshot monitor"},
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    )


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """The lock of builds for the board pc, and the process that has it until its stdin ends."""
    file = tmp_path / "pc" / ".lock"
    process = python(HOLD, file)
    assert process.stdout is not None
    process.stdout.readline()
    yield process, file
    process.communicate()


def test_who_has_a_lock_is_reported(held: tuple[subprocess.Popen[str], Path]) -> None:
    holder, file = held
    waiter = python(WAIT, file)
    assert waiter.stderr is not None
    assert waiter.stderr.readline() == f"waiting of process {holder.pid} (earshot monitor)\n"
    holder.communicate()
    waiter.communicate()
    assert waiter.returncode == 0


def test_a_command_that_builds_says_that_it_waits(
    held: tuple[subprocess.Popen[str], Path], tmp_path: Path
) -> None:
    """As `replay` does: SCons's own words are kept for a failure, this line is not."""
    holder, file = held
    waiter = python(BUILD, EXAMPLE, tmp_path)
    assert waiter.stderr is not None
    said = waiter.stderr.readline()
    assert said == f"waiting for the build in {file.parent} of process {holder.pid} (earshot monitor)\n"
    holder.communicate()
    _, rest = waiter.communicate()
    assert (waiter.returncode, rest) == (0, "")


def test_what_an_earlier_holder_left_is_not_believed(tmp_path: Path) -> None:
    """A lock that nobody signed, as on a full disk: its file still names a process that has ended."""
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    file = tmp_path / ".lock"
    with lock(file, "waiting"):
        file.write_text(f"{int(ended.stdout)}\tearshot demo\n")
        waiter = python(WAIT, file)
        assert waiter.stderr is not None
        assert waiter.stderr.readline() == "waiting of another process\n"
    waiter.communicate()
    assert file.stat().st_size > 0
