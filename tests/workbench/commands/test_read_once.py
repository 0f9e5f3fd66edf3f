"""Each input file is opened once a command: what was read is handed on."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support.tutorial import tutorial_app
from workbench.cli import main

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
