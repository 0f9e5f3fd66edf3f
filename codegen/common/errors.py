# SPDX-License-Identifier: Apache-2.0
"""The one exception for bad input, and how it is reported."""

from __future__ import annotations

import errno
import re
from pathlib import Path

from codegen.common.paths import ROOT

# Control characters, and those that turn the direction of text: a terminal obeys them.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
# What can be wrong with a place on a disk, not with Earshot.
_DISK = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG)


def printable(text: str) -> str:
    """A text that may hold a file's values, safe for a terminal: \\x1b in place of an escape. Lines stay."""
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class UserError(Exception):
    """Something the user gave cannot be used. Ends a command with exit code 2 and this one message.

    what:   what was found and what is allowed, one sentence without the file's name
    file:   the file it is in
    place:  where in the file: "line 12, [gate] threshold", "layer 3 (CONV_2D conv1)", "byte 4096"
    remedy: what the user can do, one sentence
    """

    def __init__(
        self,
        what: str,
        *,
        file: Path | str | None = None,
        place: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.file = str(file) if file is not None else None
        self.place = place
        self.remedy = remedy

    def __str__(self) -> str:
        parts = (part.replace("\n", "\\n") for part in (self.file, self.place) if part)
        where = ", ".join(parts)
        lines = [f"{where}: {self.what}" if where else self.what]
        if self.remedy:
            lines.append(f"  {self.remedy}")
        return printable("\n".join(lines))


class UserErrors(UserError):
    """Several faults of one input, all reported at once."""

    def __init__(self, errors: list[UserError]) -> None:
        if not errors:
            raise ValueError("UserErrors needs at least one error")
        super().__init__(errors[0].what)
        self.errors = tuple(errors)

    def __reduce__(self) -> tuple[type[UserErrors], tuple[list[UserError]]]:
        return UserErrors, (list(self.errors),)  # from another process

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def disk_error(error: OSError) -> UserError | None:
    """What the system said of a file or folder as the user's error; None where it is something else."""
    if error.errno not in _DISK:
        return None
    if error.filename is None and error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return None
    file = None if error.filename is None else Path(str(error.filename))  # a write to an open file names none
    remedy = None
    if file and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) and ROOT in file.parents:
        remedy = f"Earshot builds in its own folder: clone it to one that you may write, not {ROOT}."
    elif error.errno == errno.ENOSPC:
        remedy = "Make room on this disk, or build elsewhere: build=DIR."
    return UserError(error.strerror or str(error), file=file, remedy=remedy)
