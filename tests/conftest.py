"""What every test gets: the table of skipped proofs at the end of a run."""

from __future__ import annotations

from tests.support.skipped import pytest_sessionfinish, pytest_terminal_summary

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary"]
