# SPDX-License-Identifier: Apache-2.0
"""Earshot's own commands, run beside the page: what a button does is what a person could type."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

from codegen.common.errors import UserError
from workbench.studio.job import environment


async def json_of(words: Sequence[str]) -> Any:
    """The object that a command with --json prints. UserError with its own words where it has none."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "workbench", *words, "--json"),
        env=environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    try:
        return json.loads(output)
    except ValueError:
        said = errors.decode("utf-8", "replace").strip()
        raise UserError(said or f"earshot {words[0]} ended with code {process.returncode}") from None
