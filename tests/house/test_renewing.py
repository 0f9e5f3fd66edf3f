# SPDX-License-Identifier: Apache-2.0
"""What `python -m workbench.house...` says of a page that is not as the sources are, and how it renews it."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.house import board_proofs, protocol_page, rooms


def test_the_protocols_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "protocol.md"
    text = protocol_page.PAGE.read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| `status`"))
    page.write_text(text.replace(row, "| old |"), encoding="utf-8")
    monkeypatch.setattr(protocol_page, "PAGE", page)
    assert protocol_page.main([]) == 1
    assert "its tables are not those of codegen/common/protocol/" in capsys.readouterr().out
    assert protocol_page.main(["--write"]) == 0
    assert page.read_text(encoding="utf-8") == text
    assert protocol_page.main([]) == 0
    assert capsys.readouterr().out == ""


def test_the_drawing_of_the_rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = rooms.FIGURE.read_text(encoding="utf-8")
    monkeypatch.setattr(rooms, "FIGURE", tmp_path / "rooms.svg")
    assert rooms.main(["--draw"]) == 0
    assert (tmp_path / "rooms.svg").read_text(encoding="utf-8") == drawn


def test_an_import_against_the_order_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rooms, "violations", lambda _: ["codegen/a.py, line 3: imports workbench"])
    assert rooms.main([]) == 1
    assert capsys.readouterr().out == "codegen/a.py, line 3: imports workbench\n"


def test_the_boards_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table that was written by hand is told, and renewed; all else of a page stays."""
    pages = tmp_path / "boards"
    pages.mkdir()
    for page in board_proofs.PAGES.iterdir():
        (pages / page.name).write_bytes(page.read_bytes())
    whole = (pages / "xg24.md").read_text(encoding="utf-8")
    (pages / "xg24.md").write_text(whole.replace(" passed |", " passed by hand |"), encoding="utf-8")
    results = tmp_path / "results.json"
    results.write_bytes(board_proofs.RESULTS.read_bytes())
    made = board_proofs.pages
    monkeypatch.setattr(board_proofs, "pages", lambda results: made(results, pages))
    monkeypatch.setattr(board_proofs, "ROOT", tmp_path)
    monkeypatch.setattr(board_proofs, "RESULTS", results)
    assert board_proofs.main([]) == 1
    assert capsys.readouterr().out == "boards/xg24.md: its table is not that of results.json\n"
    assert board_proofs.main(["--write"]) == 0
    assert (pages / "xg24.md").read_text(encoding="utf-8") == whole
    assert board_proofs.main([]) == 0
