# SPDX-License-Identifier: Apache-2.0
"""CONTRIBUTING.md and docs/guides: their code is taken out, put into a copy of the sources, built and run."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from codegen.common.paths import ROOT
from tests.support.clone import clone, scons
from tests.support.tools import need_tool
from toolbox.scons import scons_environment

OPERATOR = ROOT / "CONTRIBUTING.md"
GUIDES = ROOT / "docs" / "guides"
INSERTED = (
    "codegen/ops/__init__.py",
    "workbench/commands/list.py",
)  # files that are there: lines go into them


def blocks(page: Path) -> dict[str, str]:
    """File -> text, of the blocks that name a file."""
    found = re.findall(r"^```\w+ (\S+)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    assert len({file for file, _ in found}) == len(found)
    return dict(found)


def commands(page: Path) -> list[list[str]]:
    """The command lines of the page's shell blocks."""
    found = re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    return [shlex.split(line) for block in found for line in block.splitlines() if line.strip()]


def insert(file: Path, lines: str) -> None:
    """Puts the lines that the file lacks before or after the one it has, everywhere that one stands."""
    text = file.read_text()
    known = [line for line in lines.splitlines() if f"\n{line}\n" in text]
    assert len(known) == 1, known
    file.write_text(text.replace(f"{known[0]}\n", lines))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources, with their tests and the linters' settings."""
    root = clone(tmp_path / "copy")
    shutil.copytree(ROOT / "tests", root / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", ".clang-format"):
        shutil.copy(ROOT / name, root / name)
    return root


def put(page: Path, root: Path) -> list[Path]:
    """Writes the page's files into a copy; those that are new."""
    made = []
    for name, text in blocks(page).items():
        file = root / name
        if name in INSERTED:
            insert(file, text)
            continue
        assert not file.exists(), f"{name} is there by now: choose another example"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        made.append(file)
    return made


def run(root: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """A module of Python in the copy, whose packages come first."""
    environment = {**scons_environment(), "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", *map(str, words)]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def lint(root: Path, files: list[Path]) -> None:
    """What `check` would say of them."""
    for words in (("format", "--check", "--diff"), ("check",)):
        done = run(root, "ruff", *words, *files)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_operator_of_the_guide_is_exact(copy: Path) -> None:
    need_tool("gcc")
    need_tool("qemu-system-arm")
    made = put(OPERATOR, copy)
    lint(copy, made)
    assert ["./earshot", "test", "tests/codegen/ops/test_logarithm.py"] in commands(OPERATOR)
    done = run(copy, "pytest", "-q", "-p", "no:cacheprovider", "tests/codegen/ops/test_logarithm.py")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert done.stdout.startswith("..")  # both ran
    done = run(copy, "mypy", "codegen/ops/logarithm.py")
    assert done.returncode == 0, done.stdout


def test_the_operator_of_the_guide_can_be_wrong(copy: Path) -> None:
    """Its test would notice: another base is another function."""
    need_tool("gcc")
    put(OPERATOR, copy)
    file = copy / "codegen" / "ops" / "logarithm.py"
    file.write_text(file.read_text().replace("math.log(x) if", "math.log2(x) if"))
    done = run(
        copy,
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/codegen/ops/test_logarithm.py",
        "-k",
        "any_scale",
    )
    assert done.returncode == 1
    assert "differ" in done.stdout


def test_the_command_of_the_guide_works(copy: Path, tmp_path: Path) -> None:
    page = GUIDES / "command.md"
    lint(copy, put(page, copy))
    recording = tmp_path / "door.wav"
    with wave.open(str(recording), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(b"\x00\x40" * 16000)
    for words in commands(page):
        named = [str(recording) if word == "door.wav" else word for word in words]
        done = run(copy, "workbench", *named[1:])
        assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"peak": 16384, "dbfs": -6.0}
    assert "loudness " in run(copy, "workbench", "--help").stdout
    missing = run(copy, "workbench", "loudness", "--app", "examples/smart_lock", "none.wav")
    assert missing.returncode == 2
    assert "Traceback" not in missing.stderr


def test_the_board_of_the_guide_is_built(copy: Path) -> None:
    need_tool("arm-none-eabi-gcc")
    page = GUIDES / "board.md"
    put(page, copy)
    assert ["./earshot", "board=my_board"] in commands(page)
    done = scons(copy, "board=my_board")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "524,288 B" in done.stdout
    linker = (copy / "build" / "my_board" / "board" / "linker.ld").read_text()
    assert "0x00080000" in linker or "0x80000" in linker


def test_the_stage_of_the_guide_compiles(copy: Path) -> None:
    need_tool("gcc")
    page = GUIDES / "stage.md"
    made = put(page, copy)
    flags = [
        "-std=c11",
        "-Wall",
        "-Wextra",
        "-Wconversion",
        "-Wshadow",
        "-Werror",
        "-fsyntax-only",
        "-Ifirmware",
    ]
    sources = [str(file) for file in made if file.suffix == ".c"]
    done = subprocess.run(["gcc", *flags, *sources], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    files = [str(file) for file in made]
    formatter = str(Path(sys.executable).parent / "clang-format")
    done = subprocess.run(
        [formatter, "--dry-run", "-Werror", *files], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", [OPERATOR, *sorted(GUIDES.glob("*.md"))], ids=lambda page: page.stem)
def test_files_that_a_guide_names_are_there(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    made = {*blocks(page), "docs/guides", "CHANGELOG.md"}
    rooms = r"(?:codegen|toolbox|workbench|firmware|tests|boards|templates|docs)/[\w/.]*\w"
    named = {name.rstrip("/") for name in re.findall(rf"`({rooms})/?`", text)}
    assert named
    assert not {name for name in named if not (ROOT / name).exists() and name not in made}
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    assert not {link for link in links if not (page.parent / link).exists()}
