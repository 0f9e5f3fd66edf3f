# SPDX-License-Identifier: Apache-2.0
"""Formatters, linters and types over the project's own sources."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.common.paths import ROOT
from toolbox import tools

NAME = "check"
HELP = "check format, lint and types of Earshot's own sources"
DESCRIPTION = """\
Runs ruff (format and lint), mypy and clang-format over the project's sources, looks that no room imports
from one above it (docs/architecture.md), that every source names its license and that none is longer than
450 lines, and compares the tables of docs/protocol.md with the protocol's own.
oxlint looks through the studio's scripts, shellcheck through the shell scripts, gcc -fanalyzer and
clang-tidy through the handwritten C; programs that are missing are installed, if that asks for no password,
else skipped with a line that says so.
Exit code 1 when one complains.

  earshot check          reports
  earshot check --fix    formats, and mends what the linter can
"""

PYTHON = ("codegen", "toolbox", "workbench", "tests", "examples", "site_scons")
SCRIPTS = "workbench/studio/scripts"
SHELL = ("earshot", ".ci/run", "requirements/lock")  # SC2016: what `earshot env` prints is for another shell
C_FOLDERS = ("firmware", "examples", "tests")


@dataclass(frozen=True)
class Check:
    """One program: how it tells, and how it mends where it can."""

    name: str
    tell: Sequence[str]
    mend: Sequence[str] | None = None
    needs: Sequence[str] = ()  # programs that no Python package brings, keys of tools.TOOLS or tools.PROOFS

    @property
    def missing(self) -> str | None:
        """The first program that is not on PATH."""
        return next((name for name in self.needs if shutil.which(name) is None), None)


def arguments(parser: argparse.ArgumentParser) -> None:
    """--fix"""
    parser.add_argument("--fix", action="store_true", help="format, and mend what the linter can")


def run(args: argparse.Namespace) -> int:
    """0 when every check is content, 1 otherwise; all are run."""
    found = checks()
    tools.try_install(*(name for check in found for name in check.needs))
    if args.fix:
        for check in found:
            if check.mend:
                subprocess.run(check.mend, cwd=ROOT, capture_output=True, check=False)
    # They wait for the disk and each other's cores differently: side by side is faster.
    running = [
        (
            check,
            subprocess.Popen(
                check.tell, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            ),
        )
        for check in found
        if check.missing is None
    ]
    for check in found:
        if check.missing is not None:
            print(f"{check.name:<14} skipped: {check.missing} is not on PATH", flush=True)
    failed = 0
    for check, process in running:
        output, _ = process.communicate()
        print(f"{check.name:<14} {'ok' if process.returncode == 0 else 'failed'}", flush=True)
        if process.returncode != 0:
            failed += 1
            print(output.rstrip(), flush=True)
    if failed and not args.fix:
        print("`earshot check --fix` mends what a program can.", file=sys.stderr)
    return 1 if failed else 0


def checks() -> list[Check]:
    """What is run, on the paths that are there."""
    python = [path for path in PYTHON if (ROOT / path).exists()]
    sources = [str(path) for folder in C_FOLDERS for path in c_sources(ROOT / folder)]
    here = Path(sys.executable).parent
    page = [sys.executable, "-m", "workbench.house.protocol_page"]
    proven = [sys.executable, "-m", "workbench.house.board_proofs"]
    analyse = [sys.executable, "-m", "workbench.house.analyse"]
    license_headers = [sys.executable, "-m", "workbench.house.license_headers"]
    file_length = [sys.executable, "-m", "workbench.house.file_length"]
    ruff, clang_format = str(here / "ruff"), str(here / "clang-format")
    return [
        Check("ruff format", [ruff, "format", "--check", *python], [ruff, "format", *python]),
        Check("ruff check", [ruff, "check", *python], [ruff, "check", "--fix", *python]),
        Check("mypy", [sys.executable, "-m", "mypy"]),
        Check("rooms", [sys.executable, "-m", "workbench.house.rooms"]),
        Check(
            "clang-format", [clang_format, "--dry-run", "-Werror", *sources], [clang_format, "-i", *sources]
        ),
        Check("protocol page", page, [*page, "--write"]),
        Check("board pages", proven, [*proven, "--write"]),
        Check("license", license_headers, [*license_headers, "--fix"]),
        Check("file length", file_length),
        Check("oxlint", [str(here / "oxlint"), SCRIPTS]),
        Check("shellcheck", ["shellcheck", "--exclude=SC2016", *SHELL], needs=["shellcheck"]),
        Check("gcc analyzer", [*analyse, "gcc"], needs=["gcc", "arm-none-eabi-gcc"]),
        Check("clang-tidy", [*analyse, "clang-tidy"], needs=["clang-tidy"]),
    ]


def c_sources(folder: Path) -> list[Path]:
    """Every C file under a folder."""
    return sorted(path for pattern in ("*.c", "*.cc", "*.h") for path in folder.rglob(pattern))
