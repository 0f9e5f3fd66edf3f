# SPDX-License-Identifier: Apache-2.0
"""What a real training takes: a Python with TensorFlow, an app without a model, synthesised sounds."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.common.paths import ROOT
from toolbox.options import EXAMPLE
from workbench.audio.synthesize import write_session

TENSORFLOW = importlib.util.find_spec("tensorflow") is not None


def trainer() -> str:
    """A Python with TensorFlow: this one, or that of `./earshot train`. Skips the test without one."""
    if TENSORFLOW:
        return sys.executable
    python = ROOT / ".venv-train" / "bin" / "python"
    if not python.exists():
        pytest.skip("TensorFlow is not installed: `./earshot train ...` makes an environment that has it")
    return str(python)


def run_trainer(script: str, *words: str) -> str:
    """The last line that a script prints which runs where TensorFlow is."""
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [trainer(), "-c", script, *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def app_to_train(folder: Path) -> Path:
    """The example's pipeline.toml alone, in a new folder."""
    folder.mkdir()
    shutil.copyfile(EXAMPLE / "pipeline.toml", folder / "pipeline.toml")
    return folder


def two_sessions(folder: Path) -> Path:
    """Sounds to learn from, and a few others for the test; the one label file of both."""
    labels = write_session(folder, 7, recordings=3, count=4)
    test = write_session(folder / "test", 8, recordings=1, count=3, session="test")
    rows = test.read_text().splitlines()[1:]
    labels.write_text(labels.read_text() + "".join(f"test/{row}\n" for row in rows))
    return labels
