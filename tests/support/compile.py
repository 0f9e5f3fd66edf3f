# SPDX-License-Identifier: Apache-2.0
"""Compiles C for the PC and loads it: how tests reach one stage or kernel without SCons."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Sequence
from pathlib import Path

from codegen.common.paths import ROOT
from codegen.emit.protocol import protocol_sources

SUPPORT = Path(__file__).resolve().parent
FIRMWARE = ROOT / "firmware"
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")


def protocol_table(folder: Path) -> Path:
    """Writes the protocol's table into a folder, which must be among the includes; its C file."""
    for name, text in protocol_sources().items():
        (folder / name).write_text(text)
    return folder / "protocol_table.c"


def compile_shared(
    folder: Path,
    sources: Sequence[Path],
    *,
    includes: Sequence[Path] = (),
    flags: Sequence[str] = (),
    name: str = "test",
) -> Path:
    """Builds lib<name>.so in `folder`; the compiler's words are in the failure when it refuses."""
    library = folder / f"lib{name}.so"
    command = ["gcc", *WARNINGS, "-O2", "-fPIC", "-shared", *flags, f"-I{FIRMWARE}"]
    command += [f"-I{include}" for include in includes]
    command += [str(source) for source in sources]
    command += ["-o", str(library)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\n{result.stderr}")
    return library


def load(library: Path) -> ctypes.CDLL:
    """The library as ctypes sees it."""
    return ctypes.CDLL(str(library))
