# SPDX-License-Identifier: Apache-2.0
"""What every run gets: tables of skipped proofs and of operators at its end, the file of what was proven."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import built_once, markers, proofs, skipped, tally
from tests.support.markers import pytest_collection_modifyitems
from tests.support.proofs import pytest_runtest_logreport, pytest_runtest_makereport
from tests.support.skipped import pytest_sessionfinish
from tests.support.tally import pytest_addoption
from workbench.progress import SWITCH

__all__ = [
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_runtest_logreport",
    "pytest_runtest_makereport",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_unconfigure",
]


# No test depends on how busy the machine is: neither a deadline nor a slow start is a finding. The same
# examples every time; EARSHOT_EXAMPLES makes new ones (tests/support/exact.py).
settings.register_profile(
    "earshot",
    deadline=None,
    derandomize="EARSHOT_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("earshot")


def pytest_configure(config: pytest.Config) -> None:
    """The markers are known, and records are started."""
    os.environ[SWITCH] = "off"  # what a command waits for depends on how busy the machine is
    built_once.pytest_configure(config)
    markers.pytest_configure(config)
    proofs.pytest_configure(config)
    tally.pytest_configure(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """What was proven is written; builds that were shared go."""
    proofs.pytest_unconfigure(config)
    built_once.pytest_unconfigure(config)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The operators where asked for; the skipped proofs last."""
    tally.summary(terminalreporter)
    skipped.pytest_terminal_summary(terminalreporter)
