# SPDX-License-Identifier: Apache-2.0
"""Suites under renode-test: Renode's own keywords start the emulation, ours come over Robot's Remote
interface, and the serial line is a local socket."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.suites.emulator import renode_environment
from workbench.suites.results import Results
from workbench.suites.robot.keywords import Keywords
from workbench.suites.robot.server import serving
from workbench.suites.run import run_renode

KEYWORDS = "EARSHOT_KEYWORDS"  # the variable that tells the suites where the keywords are


def run_on_renode(
    program: Path,
    pc_image: Path,
    suites: Path,
    results: Path,
    *,
    jobs: int = 1,
    cases: Sequence[str] | None = None,
) -> Results:
    """All suites of the folder, by renode-test; errors and `cases` as of run_robot.

    jobs: suites that run side by side, a Renode each.
    """
    jobs = min(jobs, len(list(suites.glob("*.robot"))))
    words = ["--jobs", str(jobs)] if jobs > 1 else []
    with serving(lambda: Keywords(str(pc_image))) as address:
        environment = renode_environment() | {KEYWORDS: address}
        return run_renode(program, suites, results, environment, words, cases=cases)
