# SPDX-License-Identifier: Apache-2.0
"""Programs a test needs that are not Python packages."""

from __future__ import annotations

import shutil

import pytest


def need_tool(program: str) -> str:
    """Where the program is; skips the test where it is not. `./earshot test` installs it."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not on PATH")
    return found


def need_target(target: str) -> None:
    """Skips the test where what builds for a target or runs it is not there."""
    if target == "qemu":
        need_tool("arm-none-eabi-gcc")
        need_tool("qemu-system-arm")
