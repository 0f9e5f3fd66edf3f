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
KINDS = ("accuracy", "performance", "energy")
_PLOTS = "energy_inf_*.png"  # of an energy session
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

    sessions: some of KINDS -> the runner's session folder.
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
        plots = sorted(session.glob(_PLOTS)) if kind == "energy" else []
        for name in (*FILES, *(plot.name for plot in plots)):
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
    if not virtual and any(_NOTE in str(value) for value in known.values()):
        raise UserError("says EMULATED; the sessions come from a board", file=system, remedy=_ANEW)


def _system(submitter: str, board: Board, division: str, *, virtual: bool) -> dict[str, str]:
    """As the benchmark's published descriptions have it: what the checker reads of them, and what is known.

    Status: available, preview or rdi (research, development, internal).
    """
    engine = f"Earshot {VERSION}"
    return {
        "Submitter": submitter,
        "Division": division.capitalize(),
        "Status": "rdi" if virtual else "available",
        "Board Name": board.name,
        "SoC Name": "",
        "Processor(s) Name": (board.core or "").replace("cortex-m", "Arm Cortex-M"),
        "Processor(s) Frequencies": f"{board.clock_hz / 1e6:g} MHz",
        "Processor memory type and capacity": _capacity(board, "ram"),
        "Processor storage type and capacity": _capacity(board, "flash"),
        "Accelerator": "",
        "Accelerator(s) Frequencies": "",
        "Accelerator memory type and capacity": "",
        "Hardware Notes": f"{_NOTE}: time in an emulator is no result of the benchmark." if virtual else "",
        "Inference Framework": engine,
        "Software Libraries": engine,
        "Operating System": "bare metal",
        "Software Notes": board.description,
        "Quantization Method": "",
        "ML Model Compiler(s)": engine,
        "General Compiler(s)": "" if board.hosted else "arm-none-eabi-gcc",
    }


def _capacity(board: Board, kind: str) -> str:
    size = sum(memory.size for memory in board.memories if memory.kind == kind)
    return f"{size / 1024:g} KB {kind if kind == 'flash' else kind.upper()}" if size else ""
