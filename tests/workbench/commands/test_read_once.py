# SPDX-License-Identifier: Apache-2.0
"""Each input file is opened once a command: what was read is handed on."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
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


@contextmanager
def opened_of(folder: Path) -> Iterator[Counter[str]]:
    """How often each file of the folder is opened by this process; the build is a process of its own."""
    OPENED.clear()
    FOLDERS.append(str(folder))
    try:
        yield OPENED
    finally:
        FOLDERS.pop()


def words(command: list[str], app: Path, *, bare: bool) -> tuple[list[str], dict[str, int]]:
    """A command line, and what it may open."""
    if bare:
        return [*command, str(app / "model.tflite")], {"model.tflite": 1}
    return [*command, "--app", str(app)], {"model.tflite": 1, "pipeline.toml": 1}


@pytest.mark.parametrize("command", [["generate", "-o", "sources"], ["plan"]])
@pytest.mark.parametrize("bare", [False, True])
def test_each_file_is_opened_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], bare: bool
) -> None:
    app = tutorial_app(tmp_path / "app")
    monkeypatch.chdir(tmp_path)
    line, wanted = words(command, app, bare=bare)
    with opened_of(app) as opened:
        assert main(line) == 0
    assert dict(opened) == wanted


@pytest.mark.parametrize("bare", [False, True])
def test_what_builds_opens_each_file_once_too(tmp_path: Path, bare: bool) -> None:
    """verify has the model for the engine, the reference, the model without its softmax, and the layers."""
    app = tutorial_app(tmp_path / "once")
    line, wanted = words(["verify", "--layers", "--samples", "2", "--json"], app, bare=bare)
    with opened_of(app) as opened:
        assert main(line) == 0
    assert dict(opened) == wanted
    np.save(tmp_path / "in.npy", np.zeros((1, 15, 20, 1), np.int8))
    line, wanted = words(["infer", "--inputs", str(tmp_path / "in.npy")], app, bare=bare)
    with opened_of(app) as opened:
        assert main([*line, "-o", str(tmp_path / "out.npy")]) == 0
    assert dict(opened) == wanted
