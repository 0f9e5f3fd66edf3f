# SPDX-License-Identifier: Apache-2.0
"""The workflow files: what they call exists, and its words are taken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codegen.board.description import board_names
from codegen.common.paths import ROOT
from toolbox.options import OPTIONS, TARGETS
from workbench.commands.list import COMMANDS
from workbench.targets.renode import VERSION

FILES = (ROOT / ".github" / "workflows" / "ci.yml", ROOT / "examples" / "github" / "emulate.yml")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.name))
def test_every_call_of_earshot_is_one(file: Path) -> None:
    calls = re.findall(r"run: (?:\./|earshot/)earshot (.*)$", file.read_text(), re.MULTILINE)
    assert calls
    for call in calls:
        for word in re.findall(r"(?:^| )([a-z-]+)(?:=|$| )", call):
            if not word.startswith("--"):
                assert word in (*COMMANDS, *OPTIONS, *TARGETS), word


def test_the_projects_own_checks_are_those_of_ci() -> None:
    commands = re.findall(r"(\./earshot (?:check|test))", (ROOT / ".ci" / "run").read_text())
    assert commands == re.findall(r"run: (\./earshot \w+)", FILES[0].read_text())


def test_the_users_workflow_names_what_there_is() -> None:
    text = FILES[1].read_text()
    assert re.search(r"BOARD: (\w+)", text)[1] in board_names()  # type: ignore[index]
    assert f'RENODE: "{VERSION}"' in text
    assert "\t" not in text
