# SPDX-License-Identifier: Apache-2.0
"""Builds that test files share: made once, however many processes ask; a failed one is made again."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from tests.support.built_once import VARIABLE, built_once


def _asked(calls: Path, key: str) -> bytes:
    def build(folder: Path) -> Path:
        with calls.open("a") as file:
            file.write("built\n")
        (folder / "image").write_text(key)
        return folder / "image"

    return built_once(key, build).read_bytes()


def test_processes_at_once_build_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    calls = tmp_path / "calls"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.starmap(_asked, [(calls, "a")] * 6) == [b"a"] * 6
    assert calls.read_text() == "built\n"
    assert _asked(calls, "b") == b"b"
    assert calls.read_text() == "built\n" * 2


def test_a_build_that_ended_in_its_middle_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))

    def fails(folder: Path) -> Path:
        (folder / "half").touch()
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        built_once("a", fails)
    assert _asked(tmp_path / "calls", "a") == b"a"
    assert not list(tmp_path.rglob("half"))
