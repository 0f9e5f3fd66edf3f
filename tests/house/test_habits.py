# SPDX-License-Identifier: Apache-2.0
"""The files of editors, containers and hooks name what is there."""

from __future__ import annotations

import json
import re

from codegen.board.description import load_board
from codegen.common.paths import ROOT
from toolbox.tools import PROOFS, TOOLS

LAUNCH = json.loads((ROOT / ".vscode" / "launch.json").read_text())
TASKS = json.loads((ROOT / ".vscode" / "tasks.json").read_text())


def test_the_container_has_every_program_that_the_tests_install() -> None:
    text = (ROOT / ".devcontainer" / "Dockerfile").read_text()
    packages = {
        name for tool in (*TOOLS.values(), *PROOFS.values()) for name in tool.packages["apt-get"].split()
    }
    assert packages <= set(text.split())
    assert json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())["build"]["dockerfile"]


def test_tasks_are_commands_of_ours() -> None:
    labels = {task["label"] for task in TASKS["tasks"]}
    words = [task["command"].split()[0] for task in TASKS["tasks"]]
    assert set(words) == {"./earshot", "qemu-system-arm"}
    wanted = {task["dependsOn"] for task in TASKS["tasks"] if "dependsOn" in task}
    wanted |= {entry["preLaunchTask"] for entry in LAUNCH["configurations"] if "preLaunchTask" in entry}
    assert wanted <= labels


def test_what_is_launched_is_what_the_tasks_build() -> None:
    commands = {task["label"]: task["command"] for task in TASKS["tasks"]}
    built = {entry["program"].split("/")[2] for entry in LAUNCH["configurations"] if "program" in entry}
    assert built == {"mps2_an386", "pc"}
    machine = load_board("mps2_an386").qemu
    (qemu,) = (command for command in commands.values() if "qemu" in command)
    assert f"-machine {machine} " in qemu
    assert re.search(r"-S -gdb tcp:127\.0\.0\.1:1234\b", qemu)
    assert any(entry.get("miDebuggerServerAddress") == "localhost:1234" for entry in LAUNCH["configurations"])


def test_the_hook_checks() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text()
    assert "entry: ./earshot check" in text
    assert "pass_filenames: false" in text
