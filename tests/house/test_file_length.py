# SPDX-License-Identifier: Apache-2.0
"""Sources that are too long to read are refused, wherever they lie."""

from __future__ import annotations

from pathlib import Path

from workbench.commands.check import checks
from workbench.house.file_length import LIMIT, too_long


def test_a_line_more_than_allowed_is_refused(tmp_path: Path) -> None:
    for name in ("codegen/a.py", "firmware/b.c", "templates/c.h.in", "tests/house/test_d.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("# SPDX\n" * LIMIT)
    (tmp_path / "notes.txt").write_text("a line\n" * 1000)
    assert too_long(tmp_path) == []
    with (tmp_path / "tests/house/test_d.py").open("a") as file:
        file.write("#\n")
    assert too_long(tmp_path) == [
        "tests/house/test_d.py: 451 lines; 450 are allowed. Part it by what it is about."
    ]


def test_check_looks_for_them() -> None:
    assert any("workbench.house.file_length" in check.tell for check in checks())
