"""What every run gets: the table of skipped proofs at its end, and the file of what was proven where."""

from __future__ import annotations

from tests.support.proofs import (
    pytest_configure,
    pytest_runtest_logreport,
    pytest_runtest_makereport,
    pytest_unconfigure,
)
from tests.support.skipped import pytest_sessionfinish, pytest_terminal_summary

__all__ = [
    "pytest_configure",
    "pytest_runtest_logreport",
    "pytest_runtest_makereport",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_unconfigure",
]
