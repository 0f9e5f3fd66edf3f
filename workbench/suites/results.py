# SPDX-License-Identifier: Apache-2.0
"""What a run of suites left behind: its cases, as Robot's output.xml has them, also where it was cut off."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from codegen.common.errors import UserError

# What Robot's Remote library, the system and the serial line say of a case whose emulator is gone.
CRASHED = re.compile(
    r"Connection to remote server broken|Connecting remote server at \S+ failed|Connection refused"
    r"|socket disconnected"
)
STOPPED = "Execution terminated by signal"  # what Robot says of the case that ran when it was interrupted
NOT_RUN = "robot:exit"  # the tag that Robot gives to those after it
_SHOWN = 5  # names in a message


@dataclass(frozen=True)
class CaseResult:
    """One case that was run."""

    name: str
    passed: bool
    message: str

    @property
    def crashed(self) -> bool:
        """Whether its emulator was gone: that says nothing of the image."""
        return not self.passed and CRASHED.search(self.message) is not None


@dataclass(frozen=True)
class Results:
    """All of a run's cases, and where a person reads more."""

    cases: tuple[CaseResult, ...]
    log: Path
    xunit: Path

    @property
    def failed(self) -> int:
        """How many."""
        return sum(not case.passed for case in self.cases)


class StoppedError(KeyboardInterrupt):
    """A run was interrupted; these cases were finished before."""

    def __init__(self, cases: Sequence[CaseResult], log: Path | None) -> None:
        super().__init__()
        self.cases = tuple(cases)
        self.log = log


def read_cases(*files: Path) -> tuple[CaseResult, ...]:
    """The finished cases of Robot's output files. A file that ends in the middle is read so far."""
    return tuple(case for file in files for case in _cases(file))


def _cases(file: Path) -> Iterator[CaseResult]:
    with contextlib.suppress(ElementTree.ParseError, FileNotFoundError):
        for _event, element in ElementTree.iterparse(file):
            if element.tag != "test":
                continue
            status = element.find("status")
            tags = {tag.text for tag in element.iter("tag")}
            message = (status.text or "") if status is not None else ""
            if status is not None and NOT_RUN not in tags and STOPPED not in message:
                name = element.get("name", "").replace("\\", "")  # what our suites escape
                yield CaseResult(name, status.get("status") == "PASS", message.strip())


def check_complete(cases: Sequence[CaseResult], expected: Sequence[str], results: Path) -> None:
    """UserError unless exactly the expected cases were run, each once."""
    wanted = Counter(expected)
    found = Counter(case.name for case in cases)
    if wanted == found:
        return
    lacking, more = list((wanted - found).elements()), list((found - wanted).elements())
    said = [f"{len(cases)} of {len(expected)} cases were run"]
    said += [f"missing: {_named(lacking)}"] if lacking else []
    said += [f"not asked for: {_named(more)}"] if more else []
    raise UserError(
        "; ".join(said), file=results, remedy="What was run proves nothing of the others: run it again."
    )


def _named(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(f'"{name}"' for name in names[:_SHOWN]) + rest
