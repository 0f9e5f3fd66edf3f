# SPDX-License-Identifier: Apache-2.0
"""Processes that tests watch."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def gone(pid: int, seconds: float = 120) -> bool:
    """Whether a process ends within this time; one nobody waited for counts as ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def until(holds: Callable[[], object], seconds: float = 600) -> bool:
    """Whether it comes true within this time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False
