# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin: build/proofs.json, what each test that started an image said of its board.

{"boards": {BOARD: {WHERE: {TEST: {"passed": bool, "date": "YYYY-MM-DD"}}}}, "versions": {WHERE: "of the
emulator"}}. A run of all tests writes it
anew; a run of some replaces what those said. A test that was skipped says nothing. One that failed may have
ended before it started what it starts (its worker crashed): it has failed wherever it had passed.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from toolbox.board_table import FILE, read_proofs
from toolbox.test_log import VARIABLE, noted
from workbench.targets.versions import emulator_version

PROPERTY = "started"  # of a report: what the test started

_folder = tempfile.TemporaryDirectory(prefix="earshot-runs-")
_file = Path(_folder.name) / "runs"  # of this process: each worker has its own


def pytest_configure(config: pytest.Config) -> None:
    """Images started from here on are noted, by processes that tests start too."""
    os.environ[VARIABLE] = str(_file)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, Any, Any]:
    """Each phase of a test carries what it started to whoever collects the reports."""
    report = yield
    report.user_properties.append((PROPERTY, sorted(noted(_file))))
    return report


class Collector:
    """The reports of a run, as (test, started, passed)."""

    def __init__(self) -> None:
        self._started: dict[str, set[tuple[str, str]]] = {}
        self._failed: set[str] = set()
        self._skipped: set[str] = set()

    def take(self, report: Any) -> None:
        """One phase of one test."""
        for name, started in report.user_properties:
            if name == PROPERTY:
                self._started.setdefault(report.nodeid, set()).update((b, w) for b, w in started)
        if report.failed:
            self._failed.add(report.nodeid)
        if report.skipped:
            self._skipped.add(report.nodeid)

    def write(self, file: Path, *, whole: bool, date: str) -> None:
        """Into the file; whole: nothing of earlier runs stays."""
        boards, versions = ({}, {}) if whole else _earlier(file)
        for places in boards.values():
            for tests in places.values():
                for test in self._failed & tests.keys():
                    tests[test] = {"passed": False, "date": date}
                for test in self._started.keys() - self._failed:
                    tests.pop(test, None)
        for test, started in self._started.items():
            if test in self._skipped and test not in self._failed:
                continue
            for board, where in started:
                entry = {"passed": test not in self._failed, "date": date}
                boards.setdefault(board, {}).setdefault(where, {})[test] = entry
        for where in {where for started in self._started.values() for _, where in started}:
            if version := emulator_version(where):
                versions[where] = version
        kept = {board: {where: tests for where, tests in p.items() if tests} for board, p in boards.items()}
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.{os.getpid()}")
        new.write_text(json.dumps({"boards": kept, "versions": versions}, indent=1, sort_keys=True) + "\n")
        new.replace(file)


def _earlier(file: Path) -> tuple[dict[str, dict[str, dict[str, Any]]], dict[str, str]]:
    """Boards and versions in the file; nothing where it cannot be read."""
    if not read_proofs(file):
        return {}, {}
    content = json.loads(file.read_text())
    return content["boards"], content.get("versions", {})


_collector = Collector()


def pytest_runtest_logreport(report: Any) -> None:
    """In the process that the reports of all workers come to, this one too where there are none."""
    _collector.take(report)


def pytest_unconfigure(config: pytest.Config) -> None:
    """At the end of a run, in the process that leads it."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    chosen = config.option.keyword or config.option.markexpr
    whole = not chosen and config.args == config.getini("testpaths")
    _collector.write(
        config.rootpath / "build" / FILE, whole=bool(whole), date=datetime.now(UTC).date().isoformat()
    )
