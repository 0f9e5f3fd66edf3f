# SPDX-License-Identifier: Apache-2.0
"""One short line an action; verbose=1 shows the commands."""

from __future__ import annotations

from typing import Any


def generate(env: Any) -> None:
    """Sets what is printed in place of each command."""
    if not env["OPTIONS"].verbose:
        env.Replace(
            CCCOMSTR="  CC   $SOURCE",
            CXXCOMSTR="  CXX  $SOURCE",
            ASPPCOMSTR="  AS   $SOURCE",
            LINKCOMSTR="  LD   $TARGET",
            OBJCOPYCOMSTR="  COPY $TARGET",
        )


def exists(env: Any) -> bool:
    """Always."""
    return True
