# SPDX-License-Identifier: Apache-2.0
"""docs/models.md: its operators are the engine's, its commands parse, its numbers are those of the tests."""

from __future__ import annotations

import re
import shlex

from codegen.common.paths import ROOT
from codegen.ops import FAMILIES, features, float_function
from codegen.ops.refused import INSTEAD
from tests.docs.test_commands_page import command_of, parser_of
from tests.workbench.verify.test_models import MODELS

PAGE = (ROOT / "docs/models.md").read_text(encoding="utf-8")
RESOLVED = {"CALL_ONCE", "VAR_HANDLE"}  # gone before operators are checked: codegen/model/variables.py


def test_the_operators_are_the_engines() -> None:
    rows = re.findall(r"^\| [a-z]+ \| ([A-Z].*) \|$", PAGE.split("## Memory")[0], flags=re.MULTILINE)
    reported = {word for row in rows for word in re.findall(r"\b[A-Z][A-Z0-9_]{2,}\b", row)}
    assert reported == {*FAMILIES, *RESOLVED} - {features.OP, float_function.OP}  # that no file has
    assert not reported & {*INSTEAD}


def test_commands_are_command_lines() -> None:
    lines = re.findall(r"^    earshot (.+)$", PAGE, flags=re.MULTILINE)
    assert len(lines) > 4
    for line in lines:
        name, *words = shlex.split(line)
        command = command_of(name.replace("-", "_"))
        if not getattr(command, "WORDS_PASS", False):
            parser_of(command).parse_args(words)


def test_arenas_are_those_that_bound_ours() -> None:
    reported = dict(re.findall(r"^\| (\S+/\S+) \| ([\d,]+) B \|$", PAGE, flags=re.MULTILINE))
    assert {name: int(size.replace(",", "")) for name, size in reported.items()} == {
        name: size for name, size in MODELS.items() if size is not None
    }
