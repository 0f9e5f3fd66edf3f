# SPDX-License-Identifier: Apache-2.0
"""The table of evidence on a board's page in docs/boards."""

from __future__ import annotations

from pathlib import Path

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from workbench.evidence.pack import Evidence
from workbench.evidence.session import SessionStep

PAGES = ROOT / "docs" / "boards"
HEAD = "## Evidence"
_TABLE = "| step | where | date | image | result |\n|---|---|---|---|---|\n"


def result(step: SessionStep) -> str:
    """passed, FAILED or not done, with what was seen."""
    word = "not done" if step.passed is None else "passed" if step.passed else "FAILED"
    return f"{word}: {step.words}"


def rows(evidence: Evidence) -> list[str]:
    """A row a step."""
    what = f"{evidence.where} | {evidence.date} | {evidence.app} {evidence.build[:8]}"
    return [f"| {step.name} | {what} | {result(step)} |" for step in evidence.steps]


def add(evidence: Evidence, folder: Path = PAGES) -> Path:
    """Puts the rows into the board's page in place of older ones from the same place; the page."""
    page = folder / f"{evidence.board}.md"
    if not page.is_file():
        raise UserError(
            "the board has no page", file=page, remedy="Write it: docs/guides/board.md says what."
        )
    text = page.read_text(encoding="utf-8")
    body, _, table = text.partition(f"\n{HEAD}\n")
    kept = [line for line in table.splitlines() if line.startswith("| ")]
    kept = [line for line in kept[1:] if line.split(" | ")[1] != evidence.where]
    lines = [*kept, *rows(evidence)]
    section = f"\n{HEAD}\n\nOf `earshot evidence`, by `earshot evidence read FILE --write`.\n\n{_TABLE}"
    page.write_text(f"{body.rstrip()}\n{section}" + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return page
