# SPDX-License-Identifier: Apache-2.0
"""The order of the rooms: which package may import which, read from the sources themselves.

python -m workbench.house.rooms           what breaks the order, a line each
python -m workbench.house.rooms --draw    draws docs/figures/rooms.svg anew
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.common.paths import ROOT
from codegen.common.render import render

# A room may import itself and the rooms before it. docs/architecture.md says what each is for.
ORDER = (
    "codegen.common",
    "codegen.board",
    "codegen.model",
    "codegen.app",
    "codegen.kernels",
    "codegen.ops",
    "codegen.passes",
    "codegen.incremental",
    "codegen.compile",
    "codegen.emit",
    "toolbox",
    "site_scons",
    "workbench",
)
FIGURE = ROOT / "docs" / "figures" / "rooms.svg"
# The studio alone imports its toolkit, and only commands import the studio: nothing else needs .venv-studio.
STUDIO, USES_STUDIO = "workbench.studio", "workbench.commands"
TOOLKIT = frozenset(("nicegui", "fastapi", "starlette", "uvicorn"))
# What codegen does without, so that it stays a function from files to texts.
PURE = "codegen"
IMPURE = frozenset(("SCons", "tensorflow", "keras", "subprocess", "toolbox", "workbench"))


@dataclass(frozen=True)
class Import:
    """One import of a module. file: relative to the clone; module: what is imported."""

    file: str
    line: int
    module: str

    @property
    def importing(self) -> str:
        """The module that imports."""
        return self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports(root: Path = ROOT) -> list[Import]:
    """Every import in the rooms' Python, those inside functions too, in the order of files and lines."""
    found = []
    for folder in dict.fromkeys(room.split(".")[0] for room in ORDER):
        for file in sorted((root / folder).rglob("*.py")):
            name = file.relative_to(root).as_posix()
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), name)):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    found += [Import(name, node.lineno, module) for module in _modules(node, root)]
    return sorted(found, key=lambda one: (one.file, one.line, one.module))


def _modules(node: ast.Import | ast.ImportFrom, root: Path) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if node.module is None:
        return []
    folder = root / node.module.replace(".", "/")
    return [
        f"{node.module}.{alias.name}"
        if (folder / f"{alias.name}.py").is_file() or (folder / alias.name).is_dir()
        else node.module
        for alias in node.names
    ]


def room(module: str) -> str | None:
    """The room of a module; None for one that is not ours."""
    return next((name for name in ORDER if module == name or module.startswith(f"{name}.")), None)


def violations(found: list[Import]) -> list[str]:
    """What breaks the order, a line each: file, line, what it imports, and what is allowed."""
    lines = []
    for one in found:
        where = f"{one.file}:{one.line}: "
        here, there = room(one.importing), room(one.module)
        first = one.module.split(".")[0]
        if one.importing.split(".")[0] == PURE and first in IMPURE:
            lines.append(f"{where}{PURE} is pure, and imports {first}")
        elif first in TOOLKIT and not _in(one.importing, STUDIO):
            lines.append(f"{where}{first} is for {STUDIO} alone")
        elif _in(one.module, STUDIO) and not (_in(one.importing, STUDIO) or _in(one.importing, USES_STUDIO)):
            lines.append(f"{where}{one.importing} imports {one.module}; only {USES_STUDIO} may")
        elif here is None or there is None:
            if here is None and one.importing != PURE:
                lines.append(f"{where}{one.importing} is in no room (ORDER in workbench/house/rooms.py)")
        elif ORDER.index(there) > ORDER.index(here):
            lines.append(f"{where}{here} imports {one.module}; {here} stands before {there}")
    return lines


def _in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def between(found: list[Import]) -> dict[tuple[str, str], int]:
    """(importing room, imported room) -> how many imports, of different rooms."""
    counts: dict[tuple[str, str], int] = {}
    for one in found:
        here, there = room(one.importing), room(one.module)
        if here and there and here != there:
            counts[here, there] = counts.get((here, there), 0) + 1
    return counts


def figure(found: list[Import]) -> str:
    """The drawing of docs/architecture.md, SVG: a row imports from a column; all lies below the diagonal."""
    pairs = between(found)
    cells = [{"row": ORDER.index(here), "column": ORDER.index(there)} for here, there in sorted(pairs)]
    return render("rooms.svg.in", rooms=[name.replace("codegen.", "") for name in ORDER], cells=cells)


def main(words: Sequence[str]) -> int:
    """1 where the order is broken, with the places. --draw: writes the drawing of docs/architecture.md."""
    found = imports()
    lines = violations(found)
    if lines:
        print("\n".join(lines))
    if words == ["--draw"]:
        FIGURE.write_text(figure(found), encoding="utf-8")
    return 1 if lines else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
