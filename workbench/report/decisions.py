# SPDX-License-Identifier: Apache-2.0
"""What an app decides on its recordings, and what has changed since that was accepted.

decisions.json beside the app's pipeline.toml holds, of each recording, how often which class was decided, a
hash of all decision lines, and every decision (workbench/report/decided.py).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.app.rules import UNKNOWN
from codegen.common.errors import UserError
from workbench.audio.recording import read_audio
from workbench.progress import progress
from workbench.protocol.lines import Decision, parse_line
from workbench.report.decided import Decided, Place, decode, encode, places, stride_of
from workbench.suites.recordings import Recording
from workbench.targets import Device

FILE = "decisions.json"
UNLABELLED = "unlabelled"

Cell = tuple[str, str]  # truth, decision


@dataclass(frozen=True)
class Heard:
    """What was decided on one recording. counts: decisions by class; hash: of the lines, byte for byte.

    row: every decision; None where an earlier version stored it without them
    """

    truth: str
    counts: Mapping[str, int]
    hash: str
    row: tuple[Decided, ...] | None = None


@dataclass(frozen=True)
class Accepted:
    """decisions.json."""

    model: str  # start of the model's SHA-256
    contract: str  # feature contract
    recordings: Mapping[str, Heard]  # by the file's name
    rate: int = 0  # samples a second; 0: not stored


@dataclass(frozen=True)
class Changed:
    """A recording on which something else is decided than before."""

    name: str
    before: Heard
    now: Heard
    rate: int = 0

    @property
    def places(self) -> list[Place]:
        """Where the decisions differ, the earliest first. Empty where those of before were not stored."""
        if self.before.row is None or self.now.row is None:
            return []
        return places(self.before.row, self.now.row)

    @property
    def classes(self) -> dict[str, tuple[int, int]]:
        """Of each class that is decided more or less often: how often before and now. Empty where the same
        classes are decided as often, in other windows or with other scores."""
        pairs = {
            label: (self.before.counts.get(label, 0), self.now.counts.get(label, 0))
            for label in sorted(
                {*self.before.counts, *self.now.counts}, key=lambda one: (one == UNKNOWN, one)
            )
        }
        return {label: pair for label, pair in pairs.items() if pair[0] != pair[1]}

    @property
    def moved(self) -> int:
        """Decisions that are of another class now, at least."""
        return max(sum(max(0, step * (now - was)) for was, now in self.classes.values()) for step in (1, -1))


def hear(device: Device, recordings: Sequence[Recording]) -> Accepted:
    """Plays every recording to an image."""
    rate = device.boot.rate
    assert rate is not None
    device.command("stages off")
    heard = {}
    for recording in progress(recordings, len(recordings), "playing recordings"):
        lines = list(device.replay(read_audio(recording.file, rate, options=False)))
        parsed = [parse_line(line) for line in lines]
        made = [line for line in parsed if isinstance(line, Decision)]
        labels = Counter(one.label for one in made)
        row = tuple(Decided(one.segment_start + one.segment_length, one.label, one.score) for one in made)
        digest = hashlib.sha256("\n".join(lines).encode("ascii")).hexdigest()[:16]
        truth = recording.words or UNLABELLED
        heard[recording.file.name] = Heard(truth, dict(sorted(labels.items())), digest, row)
    return Accepted(device.boot.model, device.boot.contract or "", heard, rate)


def changed(before: Accepted, now: Accepted) -> list[Changed]:
    """Recordings of both whose lines differ; those first on which most decisions are of another class."""
    both = [name for name in now.recordings if name in before.recordings]
    pairs = [Changed(name, before.recordings[name], now.recordings[name], now.rate) for name in both]
    found = [pair for pair in pairs if pair.before.hash != pair.now.hash]
    return sorted(found, key=lambda pair: -pair.moved)


def cells(heard: Iterable[Heard]) -> Counter[Cell]:
    """Decisions by truth and class: the confusion table's cells."""
    found: Counter[Cell] = Counter()
    for one in heard:
        for label, count in one.counts.items():
            found[one.truth, label] += count
    return found


def read(app: Path) -> Accepted | None:
    """The app's decisions.json; None where there is none. UserError where it is not one."""
    file = app / FILE
    if not file.is_file():
        return None
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        stride, labels = int(values.get("stride", 1)), [str(label) for label in values.get("labels", [])]
        recordings = {name: _heard(value, stride, labels) for name, value in values["recordings"].items()}
        return Accepted(str(values["model"]), str(values["contract"]), recordings, int(values.get("rate", 0)))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        raise UserError(
            "is not what a report stores", file=file, remedy="Remove it, and accept a report anew."
        ) from None


def _heard(value: Any, stride: int, labels: Sequence[str]) -> Heard:
    counts = {str(label): int(count) for label, count in value["decided"].items()}
    row = decode(str(value["row"]), stride, labels) if "row" in value else None
    return Heard(str(value["truth"]), counts, str(value["hash"]), row)


def write(app: Path, now: Accepted) -> Path:
    """Stores it, a recording a line; the file."""
    stored = [one.row for one in now.recordings.values() if one.row is not None]
    stride, labels = stride_of(stored), sorted({one.label for row in stored for one in row})
    head = {
        "model": now.model,
        "contract": now.contract,
        "rate": now.rate,
        "stride": stride,
        "labels": labels,
    }
    rows = []
    for name, one in sorted(now.recordings.items()):
        value: dict[str, Any] = {"truth": one.truth, "decided": dict(one.counts), "hash": one.hash}
        if one.row is not None:
            value["row"] = encode(one.row, stride, labels)
        rows.append(f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}")
    text = ",\n".join(rows)
    file = app / FILE
    file.write_text(f'{json.dumps(head)[:-1]}, "recordings": {{\n{text}\n}}}}\n', encoding="utf-8")
    return file
