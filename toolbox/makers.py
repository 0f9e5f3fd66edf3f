# SPDX-License-Identifier: Apache-2.0
"""What a generated file depends on, besides what it is made from: all of the program that makes it."""

from __future__ import annotations

from codegen.common.paths import ROOT

# Folder -> files whose change may change what is made. Whole folders: what imports what changes too often
# to be written down again here, and a text that comes out as before starts no compiler.
MAKERS = {
    "codegen": ("*.py",),
    "templates": ("*.in",),
    "boards": ("*.toml", "*.repl", "*.cs"),
    "toolbox": ("*.py",),
    "site_scons": ("*.py",),
}


def makers(*folders: str) -> list[str]:
    """The files of these folders of MAKERS, all without; absolute, sorted."""
    found = [
        str(file)
        for folder in folders or MAKERS
        for pattern in MAKERS[folder]
        for file in (ROOT / folder).rglob(pattern)
    ]
    return sorted(found)
