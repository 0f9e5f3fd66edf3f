# SPDX-License-Identifier: Apache-2.0
"""Compiler and flags: GCC for the board's Cortex-M, or this computer's own for the board pc."""

from __future__ import annotations

import os
import sys
from typing import Any

from codegen.common.paths import ROOT
from toolbox import tools
from toolbox.options import C_FLAGS, HOSTED_FLAGS
from toolbox.tools import board_tools

_WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]


def generate(env: Any) -> None:
    """Fills the environment; UserError where the compiler is missing."""
    board = env["OPTIONS"].board
    tools.need(*board_tools(board, "aot"))
    prefix = "" if board.hosted else "arm-none-eabi-"
    env.Replace(CC=f"{prefix}gcc", AS=f"{prefix}as", OBJCOPY=f"{prefix}objcopy")
    env["ENV"] = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
    for tool in ("gcc", "gas", "gnulink"):
        env.Tool(tool)
    machine, link = _hosted() if board.hosted else _cortex_m(env, board)
    env["PATH_MAPS"] = _path_maps(env)
    env.Replace(CCFLAGS=[*machine, *C_FLAGS, *_WARNINGS, *env["PATH_MAPS"]], LINK="$CC")
    # INPUT and INCLUDES: image.py chooses how a path is written, since debug information repeats it.
    env.Replace(CCCOM="$CC -o $TARGET -c $CCFLAGS $INCLUDES $INPUT", ASPPCOM="$CCCOM", INPUT="$SOURCE")
    # The flags of the machine choose the C library's variant, so they stand in the link too.
    env.Replace(
        LINKFLAGS=[*machine, *link],
        LINKCOM="$LINK $LINKFLAGS -o $PART $SOURCES $LIBRARIES_LAST",
        LIBRARIES_LAST="",
    )
    env.Replace(OBJCOPYCOM="$OBJCOPY $OBJCOPYFLAGS $SOURCE $PART", PART="${TARGET}.part")


def _cortex_m(env: Any, board: Any) -> tuple[list[str], list[str]]:
    """Hard-float ABI where there is a unit, so that other objects link; our code uses no float register."""
    machine = [f"-mcpu={board.core}", "-mthumb", "-mgeneral-regs-only"]
    machine += [f"-mfpu={board.fpu}", "-mfloat-abi=hard"] if board.fpu else ["-mfloat-abi=soft"]
    linker_script = env.Dir(str(env["OPTIONS"].board_folder)).File("board/linker.ld")
    link = ["-nostartfiles", "--specs=nano.specs", "-T", linker_script]
    link += ["-Wl,--gc-sections,--build-id=sha1,--fatal-warnings"]
    return machine, link


def _hosted() -> tuple[list[str], list[str]]:
    gnu = sys.platform != "darwin"
    return [*HOSTED_FLAGS], ["-Wl,--gc-sections,--build-id=sha1" if gnu else "-Wl,-dead_strip"]


def _path_maps(env: Any) -> list[str]:
    """Wherever the clone and the build lie, debug information and __FILE__ say the same."""
    return [f"-ffile-prefix-map={ROOT}=.", f"-ffile-prefix-map={env['OPTIONS'].build}=build"]


def exists(env: Any) -> bool:
    """Always: generate() says where it cannot be used."""
    return True
