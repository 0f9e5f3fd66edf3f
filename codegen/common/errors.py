# SPDX-License-Identifier: Apache-2.0
"""The one exception for bad input, and how it is reported."""

from __future__ import annotations

from pathlib import Path


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
        where = ", ".join(part for part in (self.file, self.place) if part)
        lines = [f"{where}: {self.what}" if where else self.what]
        if self.remedy:
            lines.append(f"  {self.remedy}")
        return "\n".join(lines)


class UserErrors(UserError):
    """Several faults of one input, all reported at once."""

    def __init__(self, errors: list[UserError]) -> None:
        if not errors:
            raise ValueError("UserErrors needs at least one error")
        super().__init__(errors[0].what)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)
