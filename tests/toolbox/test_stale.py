# SPDX-License-Identifier: Apache-2.0
"""No stale build: whatever makes a file is a dependency of it, so that an edit of it makes the file again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from codegen.common.paths import ROOT
from tests.support.clone import clone, scons
from tests.support.tools import need_tool
from workbench.house.rooms import imports

BOARD = "xg24"  # has every kind of file: Renode's and those that flash it too
FOLDER = f"build/{BOARD}/smart_lock"
# file -> the module whose function writes it
MADE = {
    f"build/{BOARD}/board/board.h": "codegen.emit.board",
    f"build/{BOARD}/board/linker.ld": "codegen.emit.board",
    f"build/{BOARD}/board/vectors.c": "codegen.emit.board",
    f"{FOLDER}/renode.resc": "codegen.emit.board",
    f"{FOLDER}/flash.jlink": "codegen.emit.flash_scripts",
    f"{FOLDER}/generated/app.c": "codegen.emit.sources",
    f"{FOLDER}/generated/smart_lock.h": "codegen.emit.sources",
    f"{FOLDER}/generated/smart_lock_model.c": "codegen.emit.sources",
    f"{FOLDER}/generated/smart_lock_pipeline.c": "codegen.emit.sources",
    f"{FOLDER}/firmware.elf": "toolbox.checksum",
    f"{FOLDER}/size.txt": "toolbox.sizes",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with the image built."""
    need_tool("arm-none-eabi-gcc")
    root = clone(tmp_path_factory.mktemp("stale") / "clone")
    done = scons(root, f"board={BOARD}")
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture(scope="module")
def tree(root: Path) -> dict[str, set[str]]:
    """What SCons knows: file -> what it depends on, directly or by files in between."""
    done = scons(root, "-n", f"board={BOARD}", "--tree=all")
    assert done.returncode == 0, done.stderr
    return dict(_tree(done.stdout.splitlines()))


def _tree(lines: list[str]) -> Iterator[tuple[str, set[str]]]:
    path: list[tuple[int, str]] = []
    below: dict[str, set[str]] = {}
    for line in lines:
        if (at := line.find("+-")) < 0:
            continue
        while path and path[-1][0] >= at:
            path.pop()
        name = line[at + 2 :].strip("[]")
        for _, above in path:
            below.setdefault(above, set()).add(name)
        path.append((at, name))
    yield from below.items()


def _closure(module: str) -> set[str]:
    """The module and all of ours that it imports, also by others; files of the clone."""
    uses: dict[str, set[str]] = {}
    files: dict[str, str] = {}
    for one in imports():
        uses.setdefault(one.importing, set()).add(one.module)
        files[one.importing] = one.file
    found, left = set(), [module]
    while left:
        name = left.pop()
        if name in files and files[name] not in found:
            found.add(files[name])
            left += uses[name]
    return found


@pytest.mark.parametrize("file", MADE)
def test_all_that_makes_a_file_is_its_dependency(tree: dict[str, set[str]], file: str) -> None:
    makers = _closure(MADE[file])
    assert makers, MADE[file]
    assert makers <= tree[file]


def test_the_closure_reaches_far() -> None:
    """Else the test above would say nothing."""
    found = _closure("codegen.emit.sources")
    assert {"codegen/app/tables/mel.py", "codegen/ops/conv_2d.py", "codegen/kernels/requantize.py"} <= found
    assert {"codegen/board/description.py", "codegen/board/renode.py"} <= _closure("codegen.emit.board")


@pytest.mark.parametrize("template", sorted(path.name for path in (ROOT / "templates").glob("model*.in")))
def test_templates_are_dependencies(tree: dict[str, set[str]], template: str) -> None:
    assert f"templates/{template}" in tree[f"{FOLDER}/generated/smart_lock_model.c"]


@pytest.mark.parametrize(
    ("module", "old", "new", "file"),
    [
        ("codegen/emit/board.py", '"renode.resc.in"', '"again.resc.in"', "renode.resc"),
        ("codegen/app/tables/rounding.py", '"""', '"""Again. ', None),
    ],
)
def test_an_edit_makes_them_again(root: Path, module: str, old: str, new: str, file: str | None) -> None:
    """What changes nothing in the text starts no compiler; what does is written."""
    source = root / module
    text = source.read_text()
    assert old in text
    (root / "templates" / "again.resc.in").write_text("again\n")
    try:
        source.write_text(text.replace(old, new, 1))
        done = scons(root, f"board={BOARD}")
        assert done.returncode == 0, done.stdout + done.stderr
        if file:
            assert (root / FOLDER / file).read_text() == "again\n"
        else:
            assert re.search(r"^  GEN .*generated$", done.stdout, re.MULTILINE)
            assert "  CC " not in done.stdout
    finally:
        source.write_text(text)


def test_an_edit_of_the_same_time_is_made_again(root: Path) -> None:
    """A script edits and builds twice within a second, or a file of the same age is copied over another."""
    settings = root / "examples" / "smart_lock" / "pipeline.toml"
    text = settings.read_text()
    made = root / FOLDER / "generated" / "smart_lock_pipeline.c"
    other = text.replace("threshold = 600", "threshold = 601")
    assert other != text
    long_ago = (1_000_000_000, 1_000_000_000)  # seconds
    found = []
    for written in (text, other, text):
        settings.write_text(written)
        os.utime(settings, long_ago)
        done = scons(root, f"board={BOARD}", "generated")
        assert done.returncode == 0, done.stdout + done.stderr
        found.append(made.read_text())
    assert found[0] == found[2] != found[1]
