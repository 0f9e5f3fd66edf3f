# SPDX-License-Identifier: Apache-2.0
"""docs/boards: a page for each board, with its pins, clock and memories as board.toml has them."""

from __future__ import annotations

import re

import pytest

from codegen.board.description import board_names, load_board
from codegen.common.paths import BOARDS, ROOT
from codegen.common.toml_place import read_toml

PAGES = ROOT / "docs" / "boards"
CHIPS = [name for name in board_names() if not load_board(name).hosted]


@pytest.mark.parametrize("name", CHIPS)
def test_a_board_has_its_page(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text()
    assert page.startswith(f"# {name}: ")
    assert f"scons board={name} app=my_app" in page
    assert f"[{name}]({name}.md)" in (PAGES / "README.md").read_text()
    assert "ot proven" in page
    pins = set(read_toml(BOARDS / name / "board.toml").data.get("pins", {}).values())
    assert set(re.findall(r"\bP(?:[A-D]\d\d|[01]\.\d\d)\b", page)) == pins


@pytest.mark.parametrize("name", CHIPS)
def test_a_page_knows_the_clock(name: str) -> None:
    clock = load_board(name).clock_hz
    page = (PAGES / f"{name}.md").read_text() + (PAGES / "nrf52840dk.md").read_text() * (name == "nano33ble")
    assert f"{clock / 1e6:g} MHz" in page
