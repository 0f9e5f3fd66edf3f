# SPDX-License-Identifier: Apache-2.0
"""From the words of a command line to a command's module; other words go to SCons."""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from codegen.app.spec_file import load_spec
from codegen.board.description import load_board
from codegen.common.errors import UserError, disk_error
from codegen.common.paths import ROOT
from codegen.common.version import VERSION
from toolbox import tools
from toolbox.exit_code import INTERRUPTED
from toolbox.locks import COMMAND
from toolbox.options import EXAMPLE, engine_of
from toolbox.scons import scons_command, scons_environment
from toolbox.tools import board_tools
from workbench.arguments import Parser
from workbench.commands.list import COMMANDS
from workbench.progress import begin, remark, silence

_PATHS = ("app=", "build=", "tflm=")  # options that are paths


class Command(Protocol):
    """A module of workbench/commands."""

    NAME: str  # the module's name, - for _
    HELP: str  # one line
    DESCRIPTION: str  # teaches, with an example

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares the command's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Does it; the exit code."""


def main(words: Sequence[str]) -> int:
    """Runs a command line. 0: success, 1: a check failed, 2: bad usage or input, 130: interrupted."""
    begin()
    os.environ[COMMAND] = shlex.join(["earshot", *words])
    try:
        code = _dispatch(words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        remark(INTERRUPTED)
        return 130
    except BrokenPipeError:
        # The reader, `head` perhaps, has seen enough. Python must not complain about it at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (UserError, OSError) as error:
        reported = error if isinstance(error, UserError) else disk_error(error)
        if reported is None:
            raise
        print(reported, file=sys.stderr)
        return 2


def _dispatch(words: Sequence[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    if words[0] == "--version":
        print(f"earshot {VERSION}")
        return 0
    modules = {module.strip("_").replace("_", "-"): module for module in COMMANDS}
    if words[0] not in modules:
        return _scons(words)
    command = _load(modules[words[0]])
    parser = Parser(
        prog=f"earshot {command.NAME}",
        description=command.DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.arguments(parser)
    if getattr(command, "WORDS_PASS", False) and words[1:2] not in (["-h"], ["--help"]):
        return command.run(argparse.Namespace(words=list(words[1:])))
    args = parser.parse_args(words[1:])
    if getattr(args, "json", False):
        silence()
    return command.run(args)


def _load(module: str) -> Command:
    """Only the module asked for is imported: each brings what it needs, and some need much."""
    command: Command = importlib.import_module(f"workbench.commands.{module}")
    return command


def _help() -> str:
    commands = [_load(module) for module in COMMANDS]
    width = max(len(command.NAME) for command in commands)
    lines = [
        "earshot COMMAND ...              one of the commands below",
        "earshot board=BOARD [app=DIR]    builds firmware: other words go to SCons; `scons` alone tells them",
        "earshot --version                which one this is",
        "",
        "Commands (`earshot COMMAND --help` teaches each):",
        *(f"  {command.NAME:<{width}}  {command.HELP}" for command in commands),
        "",
        '`eval "$(./earshot env)"` makes plain `earshot` and `scons` work in this shell.',
    ]
    return "\n".join(lines)


def _scons(words: Sequence[str]) -> int:
    """Becomes SCons. The compiler is installed first where possible; SCons itself only asks for it."""
    given = dict(word.split("=", 1) for word in words if "=" in word)
    if "board" in given:
        board = load_board(given["board"])
        app = Path(os.path.abspath(given.get("app", EXAMPLE)))  # noqa: PTH100
        engine = engine_of(load_spec(app, several=True), board, given.get("engine"))
        tools.ensure(*board_tools(board, engine))
    launch = [f"{option}={os.path.abspath(path)}" for option, path in _paths(words)]  # noqa: PTH100
    rest = [word for word in words if not word.startswith(_PATHS)]
    command = [*scons_command(), *rest, *launch]
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(command[0], command, scons_environment())


def _paths(words: Sequence[str]) -> list[tuple[str, str]]:
    """The options that are paths: they count from where the user stands, SCons runs in the clone."""
    pairs = [word.split("=", 1) for word in words if word.startswith(_PATHS)]
    return [(option, path) for option, path in pairs]
