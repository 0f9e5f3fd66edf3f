# SPDX-License-Identifier: Apache-2.0
"""Which emulator ran an image: its name and version, as it says them itself."""

from __future__ import annotations

import subprocess

_ASKED = {"qemu": ["qemu-system-arm", "--version"], "renode": ["renode", "--version"]}


def emulator_version(target: str) -> str | None:
    """ "QEMU emulator version 7.2.22", "Renode, version 1.16.1"; None: it is no emulator, or says nothing."""
    words = _ASKED.get(target)
    if words is None:
        return None
    try:
        said = subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
    except OSError:
        return None
    return said[0].split(" (")[0] if said else None
