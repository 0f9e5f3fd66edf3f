# SPDX-License-Identifier: Apache-2.0
"""The order of the rooms: kept by the sources, and reported where it is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.common.paths import ROOT
from workbench.house.rooms import FIGURE, ORDER, between, figure, imports, violations


def test_no_room_imports_from_above() -> None:
    assert violations(imports()) == []


def test_every_import_is_seen() -> None:
    """Some that are known, at the top of a module and inside a function, of a module and of a name."""
    pairs = between(imports())
    assert pairs["codegen.ops", "codegen.kernels"] > 10
    assert pairs["workbench", "toolbox"] > 10
    assert any(
        one.file == "codegen/ops/__init__.py" and one.module == "codegen.ops.conv_2d" for one in imports()
    )


@pytest.mark.parametrize(
    ("file", "text", "reported"),
    [
        ("codegen/model/a.py", "from codegen.ops import family\n", "codegen.model imports codegen.ops"),
        ("codegen/ops/a.py", "import codegen.passes.lower\n", "codegen.ops imports codegen.passes.lower"),
        ("codegen/app/a.py", "import subprocess\n", "codegen is pure, and imports subprocess"),
        ("codegen/app/a.py", "from SCons.Script import Action\n", "codegen is pure, and imports SCons"),
        ("toolbox/a.py", "def f():\n    from workbench.cli import main\n", "toolbox imports workbench.cli"),
        ("site_scons/a.py", "from workbench import cli\n", "site_scons imports workbench"),
        ("workbench/a.py", "from nicegui import ui\n", "nicegui is for workbench.studio alone"),
        ("workbench/b.py", "import workbench.studio\n", "only workbench.commands may"),
        ("codegen/new_room.py", "import codegen.common.errors\n", "codegen.new_room is in no room"),
    ],
)
def test_what_breaks_the_order_is_reported(tmp_path: Path, file: str, text: str, reported: str) -> None:
    for room in ORDER:
        (tmp_path / room.replace(".", "/")).mkdir(parents=True, exist_ok=True)
    for name in ("codegen/ops/family.py", "codegen/passes/lower.py", "workbench/cli.py"):
        (tmp_path / name).write_text("")
    (tmp_path / file).write_text(text)
    (line,) = violations(imports(tmp_path))
    assert line.startswith(f"{file}:")
    assert reported in line


def test_the_drawing_is_current() -> None:
    renew = "draw it anew: .venv/bin/python -m workbench.house.rooms --draw"
    assert FIGURE.read_text(encoding="utf-8") == figure(imports()), renew
    assert f"figures/{FIGURE.name}" in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
