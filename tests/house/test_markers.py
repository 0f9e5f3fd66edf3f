# SPDX-License-Identifier: Apache-2.0
"""The lists of markers name files that are there; --fast chooses one of every room."""

from __future__ import annotations

from codegen.common.paths import ROOT
from tests.support.markers import FAST, SOAK, markers_of

TESTS = ROOT / "tests"


def test_lists_name_what_is_there() -> None:
    assert [name for name in (*FAST, *SOAK) if not (TESTS / name).exists()] == []


def test_the_fast_ones_are_of_every_room() -> None:
    fast = [file for file in TESTS.rglob("test_*.py") if "fast" in markers_of(file)]
    rooms = {file.relative_to(TESTS).parts[0] for file in fast}
    assert {"codegen", "firmware", "workbench", "docs", "house"} <= rooms


def test_markers_follow_from_the_file() -> None:
    assert {"qemu", "soak"} <= markers_of(TESTS / "firmware" / "device" / "test_long.py")
    assert "build" in markers_of(TESTS / "toolbox" / "test_build.py")
    assert markers_of(TESTS / "codegen" / "app" / "test_fit.py") == {"fast"}
    assert "docs" in markers_of(TESTS / "docs" / "test_commands_page.py")
