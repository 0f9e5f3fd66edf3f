# SPDX-License-Identifier: Apache-2.0
"""What the tests of flashing share."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.board.description import Board
from tests.support.flash_tools import BOARD, FakeTools, board_of


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTools:
    """Programs that flash, which note how they were called; no serial port is there."""
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    return FakeTools(tmp_path, monkeypatch)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    """The board of the tests."""
    return board_of(tmp_path, BOARD)
