# SPDX-License-Identifier: Apache-2.0
"""Commands as a person runs them: in a process of their own, seen by exit code, stdout and stderr."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from codegen.common.paths import ROOT
from workbench.cli import main


def earshot(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs `earshot WORD ...` in the clone's root."""
    command = [sys.executable, "-m", "workbench", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def here(*words: str | Path) -> int:
    """Runs `earshot WORD ...` in this process, for a fraction of the time; the exit code. Not with --json,
    which silences the progress of all that follows."""
    return main([str(word) for word in words])


def remarks(done: subprocess.CompletedProcess[str]) -> str:
    """What a run has said on either stream, but that it waited: another test may be building."""
    lines = (done.stdout + done.stderr).splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("waiting for the build in "))


def refused(*words: str | Path) -> str:
    """The message of a run that must end in exit code 2 with a message alone."""
    done = earshot(*words)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr
