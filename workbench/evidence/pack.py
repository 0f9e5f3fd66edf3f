# SPDX-License-Identifier: Apache-2.0
"""The file of evidence: a zip with the log, what ran, and the hash of each; and how it is read again."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from codegen.common.errors import UserError
from workbench.evidence.session import SessionStep
from workbench.host.arrays import DAMAGED
from workbench.protocol.lines import Boot, parse_line

FORMAT = 1
MANIFEST, LOG = "evidence.json", "session.log"
PACKED = ("firmware.hex", "size.txt")  # of the image's folder, with its flash scripts
_AGAIN = "Run the session again."
_REMEDY = "Give a file that `earshot evidence` wrote."


@dataclass(frozen=True)
class Evidence:
    """A read file, whose hashes are right.

    where: the emulator with its version, or the serial port
    expected: recording -> decision lines of the computer that drove the session
    """

    app: str
    board: str
    where: str
    date: str  # YYYY-MM-DD
    earshot: str  # version
    build: str  # GNU build id of the image
    steps: tuple[SessionStep, ...]
    expected: Mapping[str, Sequence[str]]
    log: tuple[str, ...]


def write(file: Path, evidence: Evidence, image_folder: Path) -> None:
    """One zip. UserError where it cannot be written."""
    contents = {LOG: "\n".join(evidence.log).encode() + b"\n"}
    for path in sorted(image_folder.iterdir()):
        if path.name in PACKED or path.name.startswith("flash."):
            contents[path.name] = path.read_bytes()
    reported = {key: value for key, value in asdict(evidence).items() if key != "log"}
    reported |= {"format": FORMAT, "sha256": {name: _sha256(data) for name, data in contents.items()}}
    contents[MANIFEST] = json.dumps(reported, indent=1).encode() + b"\n"
    try:
        part = file.with_name(file.name + ".part")
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, data in contents.items():
                packed.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        part.replace(file)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=file) from None


def read(file: Path) -> Evidence:
    """The evidence, its hashes and its log compared with what it says. UserError where they do not agree."""
    try:
        with zipfile.ZipFile(file) as packed:
            contents = {name: packed.read(name) for name in packed.namelist()}
        reported = json.loads(contents.pop(MANIFEST))
        hashes: dict[str, str] = dict(reported["sha256"])
    except FileNotFoundError:
        raise UserError("there is no such file", file=file, remedy=_REMEDY) from None
    except (OSError, *DAMAGED):
        raise UserError("is no evidence of ours", file=file, remedy=_REMEDY) from None
    if reported.get("format") != FORMAT:
        raise UserError(
            f"its format is {reported.get('format')}; {FORMAT} is known", file=file, remedy=_REMEDY
        )
    for name in sorted({*hashes, *contents}):
        if name not in contents or name not in hashes or _sha256(contents[name]) != hashes[name]:
            raise UserError(f"{name} in it is not what was packed", file=file, remedy=_AGAIN)
    try:
        evidence = _evidence(reported, contents[LOG].decode("ascii").splitlines())
    except (KeyError, TypeError, UnicodeDecodeError):
        raise UserError(f"its {MANIFEST} lacks what belongs there", file=file, remedy=_REMEDY) from None
    faults = contradictions(evidence)
    if faults:
        raise UserError(f"its log says otherwise: {'; '.join(faults)}", file=file, remedy=_AGAIN)
    return evidence


def _evidence(reported: Mapping[str, Any], log: Sequence[str]) -> Evidence:
    return Evidence(
        app=str(reported["app"]),
        board=str(reported["board"]),
        where=str(reported["where"]),
        date=str(reported["date"]),
        earshot=str(reported["earshot"]),
        build=str(reported["build"]),
        steps=tuple(
            SessionStep(step["name"], step["passed"], str(step["words"])) for step in reported["steps"]
        ),
        expected={name: tuple(lines) for name, lines in reported["expected"].items()},
        log=tuple(log),
    )


def contradictions(evidence: Evidence) -> list[str]:
    """Where the log does not bear out what the steps say: who answered, and which decisions came."""
    received = [line.split(" ", 2)[2] for line in evidence.log if " < " in line[:20]]
    boots = [boot for boot in map(parse_line, received) if isinstance(boot, Boot)]
    faults = []
    passed = {step.name for step in evidence.steps if step.passed}
    if "boot" in passed and not any(boot.build == evidence.build for boot in boots):
        faults.append(f"no boot line of build {evidence.build}")
    lines = set(received)
    for name, expected in evidence.expected.items():
        missing = [line for line in expected if line not in lines]
        if f"replay {name}" in passed and missing:
            faults.append(f"{len(missing)} of {len(expected)} decisions of {name} are not in it")
    return faults


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
