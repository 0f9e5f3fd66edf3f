# SPDX-License-Identifier: Apache-2.0
"""earshot report: what an app takes and decides, beside what was accepted."""

from __future__ import annotations

import argparse
from pathlib import Path

from workbench.profiling.profile import DEFAULT_BOARD
from workbench.report.run import report

NAME = "report"
HELP = "a page of what an app takes and decides, compared with what was accepted"
DESCRIPTION = """\
Counts instructions, flash and RAM as `earshot profile` does, plays the app's recordings (suites.toml) to it,
and compares both with what was accepted: what grew and by how much, which recordings are decided otherwise,
and which cells of the confusion table changed with them. A table is printed; build/<board>/<app>/report/ has
the same as report.json and as a page, report.html, that needs no network.

  earshot report --app examples/smart_lock
  earshot report --app examples/smart_lock --board mps2_an386 --accept

Exit code 1: over budget, or decided otherwise than accepted. --accept stores the numbers in budgets.toml and
the decisions in decisions.json. `scons board=mps2_an386 report` and `scons board=mps2_an386 report accept=1`
do the same.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which app, for which board."""
    parser.add_argument("--app", type=Path, required=True, metavar="DIR", help="folder with pipeline.toml")
    parser.add_argument(
        "--board", default=DEFAULT_BOARD, help=f"what it is built for (default {DEFAULT_BOARD})"
    )
    parser.add_argument("--accept", action="store_true", help="store the current numbers and decisions")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """1 where it is over budget, or decides otherwise than accepted."""
    return report(args.app, args.board, accept=args.accept, as_json=args.json)
