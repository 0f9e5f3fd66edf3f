# SPDX-License-Identifier: Apache-2.0
"""A checkout that its user may not write: one message for whatever needs to, and the rest works."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.clone import clone
from tests.support.not_root import not_root

REMEDY = "Earshot builds in its own folder: clone it to one that you may write, not "


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clone in which nothing can be written."""
    root = clone(tmp_path_factory.mktemp("owned") / "earshot")
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield root
    for folder in folders:
        folder.chmod(0o755)


def run(checkout: Path, *words: str | Path, module: str = "workbench") -> subprocess.CompletedProcess[str]:
    """A command of this checkout, as somebody who is not root."""
    command = not_root([sys.executable, "-P", "-m", module, *map(str, words)])
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=checkout.parent, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "{model}"],
        ["replay", "--app", "{app}", "{wav}"],
        ["features", "--app", "{app}", "{wav}", "-o", "{root}/../out.npz"],
        ["profile", "{model}"],
        ["board=pc"],
        ["board=pc", "app={app}"],
    ],
    ids=" ".join,
)
def test_what_builds_says_what_to_do(checkout: Path, tmp_path: Path, words: list[str]) -> None:
    app = checkout / "examples" / "smart_lock"
    wav = tmp_path / "sound.wav"
    soundfile.write(wav, np.zeros(16000, np.int16), 16000)
    given = {"app": str(app), "model": str(app / "model.tflite"), "wav": str(wav), "root": str(checkout)}
    done = run(checkout, *(word.format(**given) for word in words))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("earshot: ")]
    assert lines == [f"{checkout}/build: Permission denied", f"  {REMEDY}{checkout}."]


def test_what_builds_nothing_works(checkout: Path) -> None:
    done = run(checkout, "plan", checkout / "examples/smart_lock/model.tflite")
    assert done.returncode == 0, done.stderr


def test_a_build_folder_elsewhere_works(checkout: Path, tmp_path: Path) -> None:
    done = run(checkout, "board=pc", f"build={tmp_path / 'build'}", "generated")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "build" / "pc").is_dir()


def test_the_environment_that_cannot_be_made(checkout: Path) -> None:
    done = run(checkout, ".venv", "base", module="toolbox.environment")
    assert done.returncode == 2
    assert done.stderr == f"earshot: {checkout}/build: Permission denied\n  {REMEDY}{checkout}.\n"
