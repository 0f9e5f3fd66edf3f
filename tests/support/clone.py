# SPDX-License-Identifier: Apache-2.0
"""A second clone of this tree in a folder of its own: for builds that must not touch ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from codegen.common.paths import ROOT

# What a build reads.
PARTS = (
    "SConstruct",
    "earshot",
    "pyproject.toml",
    "site_scons",
    "toolbox",
    "codegen",
    "templates",
    "boards",
    "firmware",
    "workbench",
    "requirements",
)


def clone(folder: Path) -> Path:
    """The tree as a user has it, without what was built."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / part)
    app = folder / "examples" / "smart_lock"
    app.mkdir(parents=True)
    for name in ("pipeline.toml", "model.tflite", "model.contract"):
        shutil.copy(ROOT / "examples" / "smart_lock" / name, app / name)
    return folder


def scons(
    folder: Path, *words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs SCons of this environment in a clone."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "SCONSFLAGS": "", **(env or {})}
    command = [sys.executable, "-m", "SCons", "-Q", *([] if cwd is None else ["-C", str(folder)]), *words]
    return subprocess.run(
        command, cwd=cwd or folder, env=environment, capture_output=True, text=True, check=False
    )


def reported(result: subprocess.CompletedProcess[str]) -> str:
    """The one message of a refused run: exit code 2, nothing of Python's or SCons's own."""
    assert result.returncode == 2, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert "scons:" not in result.stderr
    return result.stderr
