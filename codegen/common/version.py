# SPDX-License-Identifier: Apache-2.0
"""Earshot's version, from the one place it stands in: pyproject.toml."""

from __future__ import annotations

import tomllib

from codegen.common.paths import ROOT

PROJECT = ROOT / "pyproject.toml"


def _version() -> str:
    """ "0.1.0". The file is the project's own: one that cannot be read is a broken clone."""
    version = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    assert isinstance(version, str)
    return version


VERSION = _version()
