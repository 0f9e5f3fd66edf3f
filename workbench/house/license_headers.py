# SPDX-License-Identifier: Apache-2.0
"""The license of every source, in its first lines, as SPDX writes it.

    python -m workbench.house.license_headers [--fix]

Exit code 1 when a source has none; --fix adds it. In a template it is a comment of the template: what is made
of it belongs to whoever makes it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from codegen.common.paths import ROOT

TEXT = "SPDX-License-Identifier: Apache-2.0"
LINES = 2  # the first of a file, where it has to stand
_HASH, _BLOCK, _SLASHES, _TEMPLATE = "# {}", "/* {} */", "// {}", "{{# {} -#}}"
STYLES = {
    ".py": _HASH,
    ".sh": _HASH,
    ".c": _BLOCK,
    ".h": _BLOCK,
    ".cc": _BLOCK,
    ".ld": _BLOCK,
    ".cs": _SLASHES,
    ".js": _SLASHES,
    ".css": _BLOCK,
    ".in": _TEMPLATE,
}
NAMED = {"SConstruct": _HASH, "earshot": _HASH, "lock": _HASH, "tflm.in": _HASH}


def sources(root: Path = ROOT) -> list[Path]:
    """Every tracked or new file that has a style; in a folder without Git all that is not made."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = None
    if shutil.which("git") is not None:
        listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if listed is not None and listed.returncode == 0:
        files = [root / name for name in listed.stdout.split("\0") if name]
    else:
        files = [file for file in root.rglob("*") if not _made(file.relative_to(root))]
    return sorted(
        file for file in files if style(file) is not None and file.is_file() and not file.is_symlink()
    )


def _made(file: Path) -> bool:
    return file.parts[0] == "build" or any(part.startswith(".") for part in file.parts)


def style(file: Path) -> str | None:
    """The comment of a file's language; None where it needs no header."""
    return NAMED.get(file.name) or STYLES.get(file.suffix)


def has_header(file: Path) -> bool:
    """Whether the license stands in the first lines."""
    return any(TEXT in line for line in file.read_text(encoding="utf-8").split("\n")[:LINES])


def add_header(file: Path) -> None:
    """Puts it first, after the line that names a script's interpreter."""
    comment = style(file)
    assert comment is not None
    text = file.read_text(encoding="utf-8")
    first, newline, rest = text.partition("\n") if text.startswith("#!") else ("", "", text)
    file.write_text(f"{first}{newline}{comment.format(TEXT)}\n{rest}", encoding="utf-8")


def main(words: list[str]) -> int:
    """0 when every source has its header."""
    bare = [file for file in sources() if not has_header(file)]
    for file in bare:
        if words == ["--fix"]:
            add_header(file)
        else:
            print(f"{file.relative_to(ROOT)}: its first line is to be {str(style(file)).format(TEXT)}")
    return 1 if bare and words != ["--fix"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
