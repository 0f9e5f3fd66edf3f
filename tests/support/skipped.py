# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin: which proofs were skipped and why, as a table before the closing line.

On a CI machine (environment CI=true) a proof skipped for want of a program that `./earshot test` installs
is a failure: the machine has no excuse.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from toolbox.tools import PROOFS, TOOLS


def reason_of(report: Any) -> str:
    """Why a test was skipped, without pytest's prefix."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ").strip()


def file_of(report: Any) -> str:
    """The test file."""
    return str(report.nodeid.split("::")[0])


def table(skipped: Iterable[tuple[str, str]]) -> list[str]:
    """Lines for (reason, file) pairs: how many, why, and in which files; the most frequent reason first."""
    pairs = list(skipped)
    lines = []
    for reason, count in Counter(reason for reason, _ in pairs).most_common():
        files = sorted({file for why, file in pairs if why == reason})
        lines.append(f"{count:>5}  {' '.join(reason.split())}")
        lines.append(f"       in {', '.join(files)}")
    return lines


def inexcusable(reasons: Iterable[str]) -> list[str]:
    """Those reasons that name a program `./earshot test` installs."""
    return sorted({reason for reason in reasons if any(program in reason for program in (*TOOLS, *PROOFS))})


def _skips(terminal: Any) -> list[Any]:
    return [report for report in terminal.stats.get("skipped", []) if not hasattr(report, "wasxfail")]


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table; on a CI machine also what makes the run fail."""
    reports = _skips(terminalreporter)
    if not reports:
        return
    terminalreporter.section(f"{len(reports)} skipped proofs, and why")
    for line in table((reason_of(report), file_of(report)) for report in reports):
        terminalreporter.write_line(line)
    if os.environ.get("CI"):
        for reason in inexcusable(map(reason_of, reports)):
            terminalreporter.write_line(f"ERROR: may not be skipped on a CI machine: {reason}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run with an inexcusable skip ends with exit code 1."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None or not os.environ.get("CI"):
        return
    if session.exitstatus == pytest.ExitCode.OK and inexcusable(map(reason_of, _skips(terminal))):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
