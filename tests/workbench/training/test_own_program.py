# SPDX-License-Identifier: Apache-2.0
"""The training program of docs/training.md: from the file of features to a model that an app takes."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from codegen.common.paths import ROOT
from tests.support.cli import earshot
from tests.support.training import app_to_train, trainer, two_sessions


def test_the_page_s_program_makes_the_apps_model(tmp_path: Path) -> None:
    python = trainer()
    app = app_to_train(tmp_path / "my_app")
    labels = two_sessions(tmp_path / "sounds")

    done = earshot("features", "--app", app, labels, "-o", tmp_path / "set.npz")
    assert done.returncode == 0, done.stderr
    page = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\nimport keras\n(.*?)```", page, flags=re.DOTALL)
    ran = subprocess.run(
        [python, "-c", f"import keras\n{program}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr

    verified = earshot("verify", app / "model.tflite")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert re.search(r"\b0 differ", verified.stdout), verified.stdout
    again = earshot("evaluate", "--app", app, "--labels", labels, "--json")
    assert again.returncode == 0, again.stderr
    assert "contract" not in again.stderr
    assert json.loads(again.stdout)["accuracy"] > 0.6
