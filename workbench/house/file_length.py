# SPDX-License-Identifier: Apache-2.0
"""No source is longer than a person reads in one go: tests, templates and scripts as well.

    python -m workbench.house.file_length

Exit code 1, and a line for each that is longer.
"""

from __future__ import annotations

import sys
from pathlib import Path

from codegen.common.paths import ROOT
from workbench.house.license_headers import sources

LIMIT = 450  # lines


def too_long(root: Path = ROOT) -> list[str]:
    """A line for each source that has more than LIMIT lines."""
    found = []
    for file in sources(root):
        count = len(file.read_text(encoding="utf-8").splitlines())
        if count > LIMIT:
            name = file.relative_to(root).as_posix()
            found.append(f"{name}: {count} lines; {LIMIT} are allowed. Part it by what it is about.")
    return found


def main() -> int:
    """0 when none is."""
    found = too_long()
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
