# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin: what several test files need is built once a run, by the first that needs it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

VARIABLE = "EARSHOT_TEST_BUILDS"  # environment: the folder that the processes of a run share
RESULT = "result"  # of a build's folder: the name in it of what was built, written when that is whole

_folders: list[tempfile.TemporaryDirectory[str]] = []


def pytest_configure(config: pytest.Config) -> None:
    """The folder, made by the process that leads the run and inherited by its workers."""
    if not hasattr(config, "workerinput"):
        _folders.append(tempfile.TemporaryDirectory(prefix="earshot-builds-"))
        os.environ[VARIABLE] = _folders[-1].name


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nothing of it stays."""
    if not hasattr(config, "workerinput"):
        _folders.pop().cleanup()


def built_once(key: str, build: Callable[[Path], Path]) -> Path:
    """What `build` makes in the folder that it is given, from its inputs, which `key` names in full.

    A build that fails or skips its test leaves nothing: the next one that needs it tries again.
    """
    folder = Path(os.environ[VARIABLE]) / hashlib.sha256(key.encode()).hexdigest()[:16]
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = folder / RESULT
        if not result.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            built = build(folder)
            result.write_text(str(built.relative_to(folder)))
        return folder / result.read_text()
