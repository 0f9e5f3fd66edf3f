"""What every test gets: the table of skipped proofs at the end, and that of operators where asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import skipped, tally
from tests.support.skipped import pytest_sessionfinish
from tests.support.tally import pytest_addoption, pytest_configure

__all__ = ["pytest_addoption", "pytest_configure", "pytest_sessionfinish", "pytest_terminal_summary"]


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Both tables."""
    tally.summary(terminalreporter)
    skipped.pytest_terminal_summary(terminalreporter)
