# SPDX-License-Identifier: Apache-2.0
"""The build.sh that `generate` writes beside its sources, run as a user runs it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def build(folder: Path, compiler: str, *flags: str) -> Path:
    """Runs it from somewhere else, without a word of the compiler's; the program that it leaves."""
    environment = {**os.environ, "CC": compiler, "CFLAGS": " ".join(flags), "LDFLAGS": ""}
    done = subprocess.run(
        ["sh", folder / "build.sh"], cwd="/", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""
    # The compiler of `test --coverage` leaves notes beside the program.
    (program,) = (path for path in (folder / "build").iterdir() if path.suffix != ".gcno")
    return program
