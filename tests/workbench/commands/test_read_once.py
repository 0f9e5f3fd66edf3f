# SPDX-License-Identifier: Apache-2.0
"""Each input file is opened once a command: what was read is handed on."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support.tutorial import tutorial_app
from workbench.cli import main
from workbench.host.engine import chosen_app

OPENED: Counter[str] = Counter()
FOLDERS: list[str] = []


def _count(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook, which stays for the whole process: it counts files of FOLDERS alone."""
    if event == "open" and FOLDERS and str(arguments[0]).startswith(FOLDERS[-1]):
        OPENED[Path(str(arguments[0])).name] += 1


sys.addaudithook(_count)


@pytest.mark.parametrize("command", [["generate", "-o", "sources"], ["plan"]])
@pytest.mark.parametrize("bare", [False, True])
def test_each_file_is_opened_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], bare: bool
) -> None:
    app = tutorial_app(tmp_path / "app")
    monkeypatch.chdir(tmp_path)
    OPENED.clear()
    FOLDERS.append(str(app))
    try:
        given = [str(app / "model.tflite")] if bare else ["--app", str(app)]
        assert main([*command, *given]) == 0
    finally:
        FOLDERS.pop()
    wanted = {"model.tflite": 1} if bare else {"model.tflite": 1, "pipeline.toml": 1}
    assert dict(OPENED) == wanted


def test_verify_and_infer_open_an_apps_files_once(tmp_path: Path) -> None:
    """What both begin with; the build is a process of its own."""
    app = tutorial_app(tmp_path / "app")
    OPENED.clear()
    FOLDERS.append(str(app))
    try:
        chosen_app(argparse.Namespace(model=None, app=app, reference=None, target=None, engine=None))
    finally:
        FOLDERS.pop()
    assert dict(OPENED) == {"model.tflite": 1, "pipeline.toml": 1}
