# SPDX-License-Identifier: Apache-2.0
"""Addresses as functions and lines of source, inlined calls included: by binutils' addr2line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.common.errors import UserError
from toolbox import tools

PROGRAM = "arm-none-eabi-addr2line"
_DISCRIMINATOR = re.compile(r" \(discriminator \d+\)$")


@dataclass(frozen=True)
class Place:
    """A function and a line of it; None where debug information does not tell."""

    function: str | None
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        if self.function is None:
            return "?"
        return (
            f"{self.function}  {self.file}:{self.line}" if self.file else f"{self.function}  (no line known)"
        )


def places(elf: Path, addresses: Sequence[int]) -> list[tuple[Place, ...]]:
    """For each address the innermost function first, then those it was inlined into."""
    if not addresses:
        return []
    if shutil.which(PROGRAM) is None:  # it comes with the compiler
        tools.ensure("arm-none-eabi-gcc")
    command = [PROGRAM, "--exe", str(elf), "--functions", "--inlines", "--addresses"]
    command += [f"0x{address:x}" for address in addresses]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError(f"{PROGRAM} failed: {done.stderr.strip()}", file=elf)
    found: list[list[Place]] = []
    lines = iter(done.stdout.splitlines())
    for line in lines:
        if line.startswith("0x"):
            found.append([])
        else:
            found[-1].append(_place(line, next(lines)))
    return [tuple(chain) for chain in found]


def _place(function: str, where: str) -> Place:
    file, _, line = _DISCRIMINATOR.sub("", where).rpartition(":")
    known = file not in ("", "??") and line.isdecimal() and line != "0"
    return Place(
        None if function == "??" else function,
        os.path.normpath(file) if known else None,
        int(line) if known else None,
    )
