# SPDX-License-Identifier: Apache-2.0
"""Commands of somebody whom the rights of files and folders bind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

import pytest

# What lets root write nevertheless.
_POWERS = "-dac_override,-dac_read_search,-fowner"


def not_root(command: Sequence[str]) -> list[str]:
    """The command as one who is not root runs it. Skips where root cannot give up its power."""
    if os.geteuid() != 0:
        return list(command)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root writes everywhere, and setpriv is not here")
    return [setpriv, f"--bounding-set={_POWERS}", f"--inh-caps={_POWERS}", *command]
