# SPDX-License-Identifier: Apache-2.0
"""Programs that no Python package brings: compilers and the emulator. Found on PATH, installed, or asked for.

Standard library only: the setup uses it before anything is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codegen.board.description import Board


import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codegen.common.errors import UserError


@dataclass(frozen=True)
class Tool:
    """A program and the packages that hold it, by the program that installs packages."""

    program: str
    purpose: str
    packages: Mapping[str, str]
    probe: tuple[
        str, ...
    ] = ()  # words that succeed when it is whole: its headers may be a package of their own


_HOST_GCC = {"apt-get": "gcc libc6-dev", "dnf": "gcc", "pacman": "gcc", "brew": "gcc"}
_CROSS_GCC = {
    "apt-get": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "dnf": "arm-none-eabi-gcc-cs arm-none-eabi-newlib",
    "pacman": "arm-none-eabi-gcc arm-none-eabi-newlib",
    "brew": "--cask gcc-arm-embedded",
}
_CROSS_CXX = {
    "apt-get": "gcc-arm-none-eabi libstdc++-arm-none-eabi-newlib",
    "dnf": "arm-none-eabi-gcc-cs-c++ arm-none-eabi-newlib",
    "pacman": "arm-none-eabi-gcc arm-none-eabi-newlib",
    "brew": "--cask gcc-arm-embedded",
}
_CXX_HEADERS = ("-x", "c++", "-include", "cstdint", "-fsyntax-only", "/dev/null")
_QEMU = {
    "apt-get": "qemu-system-arm",
    "dnf": "qemu-system-arm-core",
    "pacman": "qemu-system-arm",
    "brew": "qemu",
}
_OPENOCD = {"apt-get": "openocd", "dnf": "openocd", "pacman": "openocd", "brew": "open-ocd"}
_CLANG = {"apt-get": "clang", "dnf": "clang", "pacman": "clang", "brew": "llvm"}
_TIDY = {"apt-get": "clang-tidy", "dnf": "clang-tools-extra", "pacman": "clang", "brew": "llvm"}
_GDB = {"apt-get": "gdb-multiarch", "dnf": "gdb", "pacman": "arm-none-eabi-gdb", "brew": "arm-none-eabi-gdb"}
_HOST_GDB = {"apt-get": "gdb", "dnf": "gdb", "pacman": "gdb", "brew": "gdb"}
_SHELLCHECK = {"apt-get": "shellcheck", "dnf": "ShellCheck", "pacman": "shellcheck", "brew": "shellcheck"}
_CHROMIUM = {"apt-get": "chromium", "dnf": "chromium", "pacman": "chromium", "brew": "chromium"}
_VENV = {"apt-get": "python3.11-venv", "dnf": "python3.11", "pacman": "python", "brew": "python@3.11"}

TOOLS: Mapping[str, Tool] = {
    tool.program: tool
    for tool in (
        Tool("gcc", "builds for this computer", _HOST_GCC),
        Tool("arm-none-eabi-gcc", "builds for Cortex-M", _CROSS_GCC),
        Tool(
            "arm-none-eabi-g++",
            "builds the engine tflm",
            _CROSS_CXX,
            ("arm-none-eabi-g++", *_CXX_HEADERS),
        ),
        Tool("qemu-system-arm", "runs an image without a board", _QEMU),
    )
}
# What only some proofs need: `earshot test` installs them where that asks for no password.
PROOFS: Mapping[str, Tool] = {
    tool.program: tool
    for tool in (
        Tool("openocd", "flashes a board, and parses its scripts here", _OPENOCD),
        Tool("clang", "builds the generated C as a second compiler", _CLANG),
        Tool("clang-tidy", "looks through the C", _TIDY),
        Tool("gdb-multiarch", "debugs an image", _GDB),
        Tool("shellcheck", "looks through the shell scripts", _SHELLCHECK),
        Tool("chromium", "shows the studio's pages", _CHROMIUM),
    )
}
GDB = PROOFS["gdb-multiarch"]
HOST_GDB = Tool("gdb", "debugs a program of this computer", _HOST_GDB)
VENV = Tool("python3.11 -m venv", "makes the Python environment", _VENV)

# (words before the packages, the systems that have it), in the order they are reported.
_INSTALLERS: Mapping[str, tuple[str, str]] = {
    "apt-get": ("sudo apt-get install", "Debian, Ubuntu"),
    "dnf": ("sudo dnf install", "Fedora"),
    "pacman": ("sudo pacman -S", "Arch"),
    "brew": ("brew install", "macOS"),
}


def need(*programs: str) -> None:
    """UserError unless every program, a key of TOOLS, is on PATH."""
    _refuse(_missing(programs))


def ensure(*programs: str) -> None:
    """As need(), but first installs what is missing where that asks for no password (apt-get)."""
    missing = _missing(programs)
    if missing:
        install(missing)
        _refuse(_missing(programs))


def try_install(*programs: str) -> None:
    """Installs the missing ones of these, keys of PROOFS or TOOLS; where that fails, who needs them goes on
    without."""
    known = {**TOOLS, **PROOFS}
    missing = [known[program] for program in dict.fromkeys(programs) if shutil.which(program) is None]
    if missing:
        install(missing)


def install(tools: Sequence[Tool]) -> bool:
    """Installs with apt-get, telling so on stderr; False where it cannot without a password, or failed."""
    prefix = _root()
    if shutil.which("apt-get") is None or prefix is None:
        return False
    packages = [package for tool in tools for package in tool.packages["apt-get"].split()]
    print(f"earshot: installing {' '.join(packages)} with apt-get", file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            [*prefix, "apt-get", "--quiet=2", *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        print((done.stdout + done.stderr).rstrip(), file=sys.stderr)
    return done.returncode == 0


def remedy(tools: Sequence[Tool]) -> str:
    """How to install them: for the system at hand where its installer is known, else for each."""
    here = [name for name in _INSTALLERS if shutil.which(name)]
    if platform.system() == "Darwin":
        here = ["brew"]
    lines = ["Install it:" if len(tools) == 1 else "Install them:"]
    for name in here[:1] or _INSTALLERS:
        words, systems = _INSTALLERS[name]
        lines.append(f"    {systems + ':':<16} {words} {' '.join(tool.packages[name] for tool in tools)}")
    return "\n".join(lines)


def _missing(programs: Sequence[str]) -> list[Tool]:
    return [TOOLS[program] for program in programs if not _is_whole(TOOLS[program])]


def _is_whole(tool: Tool) -> bool:
    """It is on PATH, and has what belongs to it."""
    if shutil.which(tool.program) is None:
        return False
    words = tool.probe
    return not words or not subprocess.run(words, capture_output=True, check=False).returncode


def _refuse(missing: Sequence[Tool]) -> None:
    if missing:
        names = " and ".join(f"{tool.program} ({tool.purpose})" for tool in missing)
        here = all(shutil.which(tool.program) for tool in missing)
        lack = "not whole: its headers are missing" if here else "not on PATH"
        raise UserError(f"{names} {'is' if len(missing) == 1 else 'are'} {lack}", remedy=remedy(missing))


def _root() -> list[str] | None:
    """The words that make a command run as root without a password; None where there are none."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    asked = subprocess.run([sudo, "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return [sudo, "-n"] if asked.returncode == 0 else None


def board_tools(board: Board, engine: str) -> tuple[str, ...]:
    """The programs that build for a board."""
    if board.hosted:
        return ("gcc",)
    return ("arm-none-eabi-gcc", *(["arm-none-eabi-g++"] if engine == "tflm" else []))
