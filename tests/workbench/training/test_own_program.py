# SPDX-License-Identifier: Apache-2.0
"""The training program of docs/training.md: from the file of features to a model that an app takes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from codegen.common.paths import ROOT
from tests.support.cli import earshot
from tests.workbench.training.test_training_run import trainer
from toolbox.options import EXAMPLE
from workbench.audio.synthesize import write_session


def test_the_page_s_program_makes_the_apps_model(tmp_path: Path) -> None:
    python = trainer()
    app = tmp_path / "my_app"
    app.mkdir()
    shutil.copyfile(EXAMPLE / "pipeline.toml", app / "pipeline.toml")
    labels = write_session(tmp_path / "sounds", 7, recordings=3, count=4)
    test = write_session(tmp_path / "sounds" / "test", 8, recordings=1, count=3, session="test")
    rows = test.read_text().splitlines()[1:]
    labels.write_text(labels.read_text() + "".join(f"test/{row}\n" for row in rows))

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
