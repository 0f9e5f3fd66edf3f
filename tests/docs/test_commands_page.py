# SPDX-License-Identifier: Apache-2.0
"""docs/commands.md tells every command and every option, and its examples are command lines that parse."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from types import ModuleType

import pytest

from codegen.common.paths import ROOT
from toolbox.options import OPTIONS, TARGETS
from workbench.commands.list import COMMANDS

PAGE = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
HEAD, *BODIES = re.split(r"^## ", PAGE, flags=re.MULTILINE)
SECTIONS = {body.split("\n", 1)[0].strip(): body for body in BODIES}


def command_of(module: str) -> ModuleType:
    return importlib.import_module(f"workbench.commands.{module}")


def parser_of(command: ModuleType) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
    command.arguments(parser)
    return parser


def test_every_command_has_its_section_and_no_other() -> None:
    assert sorted(SECTIONS) == sorted(command_of(module).NAME for module in COMMANDS)


@pytest.mark.parametrize("module", COMMANDS)
def test_every_option_is_on_the_page(module: str) -> None:
    command = command_of(module)
    page = HEAD + SECTIONS[command.NAME]
    for action in parser_of(command)._actions:
        for option in action.option_strings:
            if option.startswith("--") and option not in ("--help", "--output"):
                assert re.search(rf"{option}\b", page), f"{command.NAME} {option}"


@pytest.mark.parametrize("module", COMMANDS)
def test_examples_are_command_lines(module: str) -> None:
    command = command_of(module)
    text = SECTIONS[command.NAME] + "\n" + command.DESCRIPTION
    lines = re.findall(r"^ +(?:\./)?earshot (.+?)(?: {3,}.*)?$", text, flags=re.MULTILINE)
    assert lines
    for line in lines:
        name, *words = shlex.split(line)
        named = command_of(next(one for one in COMMANDS if name == command_of(one).NAME))
        if not getattr(named, "WORDS_PASS", False):
            parser_of(named).parse_args(words)
    assert any(line.split()[0] == command.NAME for line in lines)


def test_the_page_on_engines_has_command_lines_that_parse() -> None:
    text = (ROOT / "docs/engines.md").read_text(encoding="utf-8")
    lines = re.findall(r"^ +(earshot|scons) (.+)$", text, flags=re.MULTILINE)
    assert {program for program, _ in lines} == {"earshot", "scons"}
    for program, line in lines:
        words = shlex.split(line)
        if program == "earshot":
            parser_of(command_of(words[0].replace("-", "_"))).parse_args(words[1:])
        else:
            assert {word.split("=")[0] for word in words} <= OPTIONS.keys() | TARGETS.keys()


def test_the_page_on_training_has_command_lines_that_parse() -> None:
    text = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    lines = re.findall(r"^ +\./earshot (.+)$|`\./earshot (\w[^`]*)`", text, flags=re.MULTILINE)
    commands = [shlex.split(indented or inside) for indented, inside in lines]
    assert {words[0] for words in commands} == {
        "data",
        "train",
        "evaluate",
        "features",
        "synthesize",
        "tune",
        "verify",
    }
    for name, *words in commands:
        parser_of(command_of(name)).parse_args(words)
