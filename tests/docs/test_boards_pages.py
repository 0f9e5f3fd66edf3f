# SPDX-License-Identifier: Apache-2.0
"""docs/boards: a page for each board, with its pins, clock and memories as board.toml has them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from codegen.board.description import board_names, load_board
from codegen.common.errors import UserError
from codegen.common.paths import BOARDS, ROOT
from codegen.common.toml_place import read_toml
from toolbox.board_table import FILE
from workbench.house.board_proofs import Result, pages, read_results, table, take, written

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


def test_what_a_page_calls_proven_is_what_the_results_say() -> None:
    for page, text in pages(read_results()).items():
        assert page.read_text() == text, "python -m workbench.house.board_proofs --write"


def test_a_board_without_a_page_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such page") as caught:
        pages({}, tmp_path)
    assert caught.value.file == f"{tmp_path}/{CHIPS[0]}.md"
    assert "docs/guides/board.md" in (caught.value.remedy or "")


@pytest.mark.parametrize("name", CHIPS)
def test_an_emulators_version_stands_in_that_table_alone(name: str) -> None:
    """So nobody can call something proven in a version that no test has seen."""
    page = (PAGES / f"{name}.md").read_text()
    assert page.count("<!-- proven -->") == 1
    prose = re.sub(r"<!-- proven -->.*?<!-- end -->|\n## Evidence\n.*", "", page, flags=re.DOTALL)
    assert not re.findall(r"(?:Renode|QEMU)\D{0,20}\d+\.\d", prose)


def test_results_are_taken_from_a_run_and_shown(tmp_path: Path) -> None:
    proofs = tmp_path / FILE
    tests = {"a": {"passed": True, "date": "2026-01-02"}, "b": {"passed": False, "date": "2026-01-03"}}
    boards = {"xg24": {"renode": tests, "built": tests}}
    proofs.write_text(json.dumps({"boards": boards, "versions": {"renode": "Renode, version 9.9"}}))
    before = {"xg24": {"renode": Result(7, 0, "2025-01-01", "Renode, version 1")}}
    before["mps2_an386"] = {"qemu": Result(70, 0, "2025-01-01", "QEMU emulator version 1")}
    results = take(before, proofs)
    assert results["mps2_an386"] == before["mps2_an386"]
    assert results["xg24"] == {"renode": Result(1, 1, "2026-01-03", "Renode, version 9.9")}
    file = tmp_path / "proven.json"
    file.write_text(written(results))
    assert read_results(file) == results
    assert "| Renode, version 9.9 | 1 passed, 1 FAILED | 2026-01-03 |" in table(
        load_board("xg24"), results["xg24"]
    )
    assert "| Renode | never run | |" in table(load_board("xg24"), {})
    file.write_text("[]")
    with pytest.raises(UserError, match="no file of results"):
        read_results(file)


@pytest.mark.parametrize("name", CHIPS)
def test_a_page_knows_the_clock(name: str) -> None:
    clock = load_board(name).clock_hz
    page = (PAGES / f"{name}.md").read_text() + (PAGES / "nrf52840dk.md").read_text() * (name == "nano33ble")
    assert f"{clock / 1e6:g} MHz" in page
