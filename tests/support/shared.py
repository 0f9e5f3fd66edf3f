# SPDX-License-Identifier: Apache-2.0
"""Material beside the checkout (recordings, models, exact vectors) that tests use where it is present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codegen.common.paths import ROOT


def shared(path: str) -> Path:
    """The file or folder ../shared/<path> (or EARSHOT_SHARED/<path>); skips the test where it is absent."""
    base = Path(os.environ.get("EARSHOT_SHARED", ROOT.parent / "shared"))
    found = base / path
    if not found.exists():
        pytest.skip(f"reference material {path} is absent (set EARSHOT_SHARED to the folder that holds it)")
    return found
