# SPDX-License-Identifier: Apache-2.0
"""Sessions of the runner in the layout of the benchmark's checker (mlcommons/tiny, tools/submission)."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from codegen.board.description import Board
from codegen.common.errors import UserError
from codegen.common.version import VERSION

FILES = ("log.txt", "results.txt", "results.json")
KINDS = ("accuracy", "performance")
_NOTE = "EMULATED"
_ANEW = "Delete it, and it is written anew; or put it right by hand."
_EMULATED = re.compile(r"on port: /dev/pts/")  # the runner's words; its port was a pseudo terminal


def emulated(session: Path) -> bool:
    """The runner talked to no serial port of hardware."""
    return _EMULATED.search((session / FILES[0]).read_text(encoding="utf-8", errors="replace")) is not None


def write_submission(
    folder: Path, submitter: str, board: Board, task: str, sessions: Mapping[str, Path], *, division: str
) -> Path:
    """Copies sessions into folder/DIVISION/SUBMITTER/, beside a description of the system; that folder.

    sessions: "accuracy" and "performance" -> the runner's session folder.
    A description that is there already stays as it is. UserError where a session lacks a file, or the
    description says of an emulator's sessions that they are a board's, or the other way round.
    """
    for session in sessions.values():
        missing = [name for name in FILES if not (session / name).is_file()]
        if missing:
            raise UserError(
                f"has no {missing[0]}: it is no finished session of the runner",
                file=session,
                remedy="Name the folder that `earshot mlperf run --runner` printed: sessions/DATE_TIME.",
            )
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", submitter):
        raise UserError(
            f'"{submitter}" cannot be a folder of the submission',
            remedy="Write a submitter of letters, digits, _ . and -.",
        )
    root = folder / division / submitter
    system = root / "systems" / f"{board.name}.json"
    system.parent.mkdir(parents=True, exist_ok=True)
    virtual = any(emulated(session) for session in sessions.values())
    if system.exists():
        _check_kept(system, virtual=virtual)
    else:
        system.write_text(json.dumps(_system(submitter, board, division, virtual=virtual), indent=2) + "\n")
    for kind, session in sessions.items():
        target = root / "results" / board.name / task / kind
        target.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copyfile(session / name, target / name)
    return root


def _check_kept(system: Path, *, virtual: bool) -> None:
    """UserError where a description that is there says otherwise than the sessions whence their times are."""
    try:
        found = json.loads(system.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot be read as JSON: {error}", file=system, remedy=_ANEW) from None
    known = found if isinstance(found, dict) else {}
    if virtual and known.get("Status") == "available":
        what = (
            "describes a system that is available; the sessions come from an emulator, whose times are none"
        )
        raise UserError(what, file=system, remedy="Name another folder for them: -o FOLDER.")
    if not virtual and _NOTE in str(known.get("Notes", "")):
        raise UserError("says EMULATED; the sessions come from a board", file=system, remedy=_ANEW)


def _system(submitter: str, board: Board, division: str, *, virtual: bool) -> dict[str, str]:
    """What the checker reads is Status: available, preview or rdi (research, development, internal)."""
    notes = f"{_NOTE}: time in an emulator is no result of the benchmark." if virtual else ""
    return {
        "Submitter": submitter,
        "Division": division,
        "Status": "rdi" if virtual else "available",
        "System Name": board.name,
        "Description": board.description,
        "Processor": board.core or "",
        "Clock (Hz)": str(board.clock_hz),
        "Software": f"Earshot {VERSION}",
        "Notes": notes,
    }
