# SPDX-License-Identifier: Apache-2.0
"""How SCons is started: from this environment, with the packages of this clone first."""

from __future__ import annotations

import os
import sys

from codegen.common.paths import ROOT


def scons_command() -> list[str]:
    """SCons of this environment, quiet about itself; to be run in the clone."""
    return [sys.executable, "-m", "SCons", "-Q"]


def scons_environment() -> dict[str, str]:
    """The environment with the packages of this clone first."""
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{path}" if path else str(ROOT)}
