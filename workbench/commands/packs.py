# SPDX-License-Identifier: Apache-2.0
"""earshot packs: the CMSIS-Packs of boards, fetched, and compared with board.toml."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.board.description import Board, board_names, load_board
from codegen.common.errors import UserError
from toolbox.packs.cache import VARIABLE, Chip, PackCache
from toolbox.packs.compare import Finding, compare
from workbench.progress import waiting

NAME = "packs"
HELP = "fetch the CMSIS-Packs of boards, and compare them with board.toml"
DESCRIPTION = """\
Finds the pack of a board's chip, by cmsis-pack-manager: in its cache, else on the network. Compares memories
and core with board.toml, says what differs, and lays the pack where `scons board=... flash` takes it for
pyOCD. Without a network, name a description (.pdsc) to compare with, or the pack itself (.pack).
board.toml counts whatever a pack says: packs are known to be wrong.

  earshot packs                                    every board that has a pack
  earshot packs --board xg24                       one, fetched where it is not here
  earshot packs --board xg24 --pack Maker.Chip_DFP.1.2.3.pack
  earshot packs --board xg24 --pdsc Maker.Chip_DFP.pdsc --no-fetch

Exit code 1: a pack and board.toml differ, or there is none to compare.
"""


@dataclass(frozen=True)
class _Result:
    """What is known of a board's pack."""

    board: Board
    chip: Chip | None
    file: Path | None
    findings: tuple[Finding, ...]
    remark: str | None = None


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--board", metavar="B", help="one board (default: every one that names a pack)")
    parser.add_argument(
        "--pdsc", type=Path, action="append", default=[], metavar="FILE", help="take this description first"
    )
    parser.add_argument(
        "--pack", type=Path, action="append", default=[], metavar="FILE", help="take this pack first"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help=f"where packs lie (default ${VARIABLE}, else cmsis-pack-manager's own folder)",
    )
    parser.add_argument(
        "--index",
        type=Path,
        metavar="FILE",
        help="addresses of indexes, one a line, to ask in place of Arm's public one",
    )
    parser.add_argument("--no-fetch", action="store_true", help="use what is here, ask no network")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    boards = _boards(args.board)
    cache = PackCache(args.cache, args.index)
    for file in args.pdsc:
        print(f"earshot: took {cache.add_description(file)} from {file}", file=sys.stderr)
    for file in args.pack:
        print(f"earshot: took {cache.add_pack(file)} from {file}", file=sys.stderr)
    with waiting("looking for packs"):
        results = [_result(board, cache, fetch=not args.no_fetch) for board in boards]
    if args.json:
        print(json.dumps({"cache": str(cache.folder), "boards": [_object(result) for result in results]}))
    else:
        print("\n\n".join(_told(result) for result in results))
    differs = any(finding.differs for result in results for finding in result.findings)
    return 1 if differs or any(result.chip is None for result in results) else 0


def _boards(name: str | None) -> list[Board]:
    if name is not None:
        board = load_board(name)
        if board.pack is None:
            raise UserError(
                f'the board "{name}" names no pack',
                file=board.file,
                remedy="Add [pack] with name and device; boards/README.md explains them.",
            )
        return [board]
    boards = [board for board in map(load_board, board_names()) if board.pack is not None]
    if not boards:
        raise UserError("no board names a pack", remedy="Add [pack] to a board.toml; see boards/README.md.")
    return boards


def _result(board: Board, cache: PackCache, *, fetch: bool) -> _Result:
    assert board.pack is not None
    chip = cache.chip(board.pack.device)
    if chip is None and fetch and not cache.update():
        empty = (
            "the index of packs is empty: no network reached it. "
            "Give the pack itself (--pack FILE.pack) or its description (--pdsc FILE.pdsc)."
        )
        return _Result(board, None, cache.pack_file(board.pack.name), (), empty)
    chip = chip or cache.chip(board.pack.device)
    if chip is None:
        count = len(cache.chips())
        absent = f"the index ({count} devices) does not have {board.pack.device}"
        if not fetch:
            absent += "; nothing was fetched"
        return _Result(board, None, cache.pack_file(board.pack.name), (), absent + ".")
    findings = compare(board, chip)
    if chip.release.name != board.pack.name:
        findings.insert(0, Finding(f"the index has it in {chip.release}, not in {board.pack.name}", True))
    file = cache.pack_file(chip.release.name, chip.release.version)
    remark: str | None = None
    if file is None and fetch:
        file = cache.fetch(chip.release)
    if file is None:
        how = "no network brought it" if fetch else "nothing was fetched"
        remark = f"the pack itself is not here ({how}), so pyOCD cannot have it; --pack FILE.pack takes one."
    return _Result(board, chip, file, tuple(findings), remark)


def _told(result: _Result) -> str:
    board, chip = result.board, result.chip
    assert board.pack is not None
    lines = [f"{board.name}: {board.pack.device} in {chip.release if chip else board.pack.name}"]
    lines += [
        f"  {'DIFFERS' if finding.differs else 'same   '}  {finding.what}" for finding in result.findings
    ]
    if chip is not None and not chip.algorithms:
        lines.append("  note     it has no flash algorithm: with it pyOCD can debug, not flash")
    lines.append(f"  pack     {result.file}" if result.file else f"  note     {result.remark}")
    if result.file and result.remark:
        lines.append(f"  note     {result.remark}")
    return "\n".join(lines)


def _object(result: _Result) -> dict[str, Any]:
    assert result.board.pack is not None
    return {
        "board": result.board.name,
        "device": result.board.pack.device,
        "release": str(result.chip.release) if result.chip else None,
        "pack": str(result.file) if result.file else None,
        "same": [finding.what for finding in result.findings if not finding.differs],
        "differs": [finding.what for finding in result.findings if finding.differs],
        "remark": result.remark,
    }
