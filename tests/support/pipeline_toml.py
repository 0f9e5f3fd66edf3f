# SPDX-License-Identifier: Apache-2.0
"""A pipeline.toml of a test, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.app.spec_file import FRONT_ENDS, load_spec
from codegen.common.errors import UserError, UserErrors

CLASSIFIER = '[classifier]\nmodel = "model.tflite"\n'
DECISION = '[decision]\nlabels = ["a", "b"]\nthreshold = 0.80\n'


def app_with(tmp_path: Path, text: str, folder: str = "door") -> Path:
    """An app of this pipeline.toml; with a front end where it decides and has none."""
    path = tmp_path / folder
    path.mkdir(exist_ok=True)
    if "decision" in text and not any(f"[{section}]" in text for section in FRONT_ENDS):
        text += "\n[mfcc]\n"
    (path / "pipeline.toml").write_text(text, encoding="utf-8")
    (path / "model.tflite").write_bytes(b"no model, but a file")
    return path


def faults(tmp_path: Path, text: str) -> list[UserError]:
    """All that is wrong with this pipeline.toml."""
    with pytest.raises(UserError) as caught:
        load_spec(app_with(tmp_path, text))
    if isinstance(caught.value, UserErrors):
        return list(caught.value.errors)
    return [caught.value]


def the_fault(tmp_path: Path, text: str) -> UserError:
    """The only thing that is wrong with it."""
    (one,) = faults(tmp_path, text)
    assert one.file is not None
    assert one.file.endswith("door/pipeline.toml")
    return one
