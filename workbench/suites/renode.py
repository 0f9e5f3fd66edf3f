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
    program: Path, pc_image: Path, suites: Path, results: Path, *, cases: Sequence[str] | None = None
) -> Results:
    """All suites of the folder, by renode-test; errors and `cases` as of run_robot."""
    with serving(Keywords(str(pc_image))) as address:
        return run_renode(program, suites, results, renode_environment() | {KEYWORDS: address}, cases=cases)
