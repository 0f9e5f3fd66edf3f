# SPDX-License-Identifier: Apache-2.0
"""What the pages of docs/boards call proven: counted from test runs, never written by hand.

    python -m workbench.house.board_proofs            exit code 1 where a page says otherwise than the results
    python -m workbench.house.board_proofs --write    writes the tables of the pages anew
    python -m workbench.house.board_proofs --take     first takes what build/proofs.json has into the results

docs/boards/proven.json holds the results: of each board and emulator the tests that started the board's image
there in the newest run, how many failed, and the emulator's version. `earshot test` writes build/proofs.json.
`earshot check` does the first, `earshot check --fix` the second.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from codegen.board.description import Board, board_names, load_board
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from toolbox.board_table import FILE, read_proofs
from toolbox.test_log import BOARD
from workbench.profiling.tables import with_tables

PAGES = ROOT / "docs" / "boards"
RESULTS = PAGES / "proven.json"
NAME = "proven"  # of the table's place in a page
_PLACES = {"qemu": "QEMU", "renode": "Renode", BOARD: "the board itself"}


@dataclass(frozen=True)
class Result:
    """Of one board in one place. version: as the emulator says it, "" on the board itself."""

    passed: int
    failed: int
    date: str  # YYYY-MM-DD, of the newest
    version: str


Results = dict[str, dict[str, Result]]  # board -> place -> result


def read_results(file: Path = RESULTS) -> Results:
    """UserError where the file is not one of ours."""
    try:
        boards = json.loads(file.read_text(encoding="utf-8"))
        return {
            board: {place: Result(**result) for place, result in places.items()}
            for board, places in boards.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        raise UserError(
            "it is no file of results",
            file=file,
            remedy="Take it from the repository again: git checkout docs/boards/proven.json",
        ) from None


def take(results: Results, proofs: Path) -> Results:
    """The results with what a run of tests left in this file, place by place; others stay as they are."""
    found = read_proofs(proofs)
    versions = json.loads(proofs.read_text(encoding="utf-8")).get("versions", {}) if found else {}
    taken = {board: dict(places) for board, places in results.items()}
    for (board, place), proof in found.items():
        if place in _PLACES:
            result = Result(proof.passed, proof.failed, proof.date, versions.get(place, ""))
            taken.setdefault(board, {})[place] = result
    return taken


def written(results: Results) -> str:
    """The file's text."""
    plain = {
        board: {place: asdict(result) for place, result in places.items()}
        for board, places in results.items()
    }
    return json.dumps(plain, indent=1, sort_keys=True) + "\n"


def table(board: Board, results: Mapping[str, Result]) -> str:
    """Every place that can run the board's image, and what tests said there."""
    places = [
        *(["qemu"] if board.qemu else []),
        *(["renode"] if board.renode else []),
        *([BOARD] if board.flash else []),
    ]
    rows = ["| the image in | tests that ran it | newest |", "|---|---|---|"]
    for place in places:
        result = results.get(place)
        if result is None:
            rows.append(f"| {_PLACES[place]} | never run | |")
            continue
        failed = f", {result.failed} FAILED" if result.failed else ""
        said = result.version or _PLACES[place]
        rows.append(f"| {said} | {result.passed} passed{failed} | {result.date} |")
    return "\n".join(rows)


def pages(results: Results, folder: Path = PAGES) -> Mapping[Path, str]:
    """Page -> its text with the table of these results."""
    boards = [load_board(name) for name in board_names()]
    found = {}
    for board in boards:
        if not board.hosted:
            page = folder / f"{board.name}.md"
            if not page.is_file():
                raise UserError(
                    "there is no such page",
                    file=page,
                    remedy="Each board has one: docs/guides/board.md says what stands in it.",
                )
            tables = {NAME: table(board, results.get(board.name, {}))}
            found[page] = with_tables(page.read_text(encoding="utf-8"), tables)
    return found


def main(words: Sequence[str]) -> int:
    """See above."""
    results = read_results()
    if "--take" in words:
        results = take(results, ROOT / "build" / FILE)
        RESULTS.write_text(written(results), encoding="utf-8")
    code = 0
    for page, text in pages(results).items():
        if page.read_text(encoding="utf-8") == text:
            continue
        if "--write" in words or "--take" in words:
            page.write_text(text, encoding="utf-8")
        else:
            print(f"{page.relative_to(ROOT)}: its table is not that of {RESULTS.relative_to(ROOT)}")
            code = 1
    return code


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        sys.exit(str(error))
