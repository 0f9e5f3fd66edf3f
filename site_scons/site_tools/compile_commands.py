# SPDX-License-Identifier: Apache-2.0
"""compile_commands.json, from which editors and analysers learn how each file is compiled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from codegen.common.paths import ROOT


def generate(env: Any) -> None:
    """Adds env.CompileCommands(objects)."""
    env.AddMethod(_compile_commands, "CompileCommands")


def _compile_commands(env: Any, objects: list[Any]) -> None:
    """Written while the build is read, since it needs no built file: in the root, or where build= points."""
    if env.GetOption("no_exec") or env.GetOption("clean"):
        return
    options = env["OPTIONS"]
    folder = ROOT if options.build == ROOT / "build" else options.build
    entries = []
    for node in objects:
        (source,) = node.sources
        command = {".S": "$ASPPCOM", ".cc": "$CXXCOM"}.get(Path(source.name).suffix, "$CCCOM")
        text = node.get_build_env().subst(command, target=[node], source=[source])
        entries.append({"directory": str(ROOT), "file": source.path, "output": node.path, "command": text})
    _replace(folder / "compile_commands.json", json.dumps(entries, indent=1) + "\n")


def _replace(file: Path, text: str) -> None:
    """In one step: another build may write its own at the same moment."""
    if not file.is_file() or file.read_text() != text:
        new = file.with_name(f".{file.name}.new")
        new.write_text(text)
        new.replace(file)


def exists(env: Any) -> bool:
    """Always."""
    return True
