# SPDX-License-Identifier: Apache-2.0
"""Robot suites as data, and their text: what `scons board=... emulate` runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.common.render import render


@dataclass(frozen=True)
class Keyword:
    """A keyword and its arguments, as they stand in the suite."""

    keyword: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """A test case. `name` stands in logs; `slug` names its file of expected lines."""

    name: str
    slug: str
    documentation: str
    steps: tuple[Keyword, ...]


@dataclass(frozen=True)
class Suite:
    """A file of cases: one concern."""

    name: str  # of the file, without .robot
    title: str
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class SuiteImage:
    """What a suite runs, and what its boot line must say."""

    app: str
    board: str  # whose image it is
    file: Path
    build: str  # GNU build id
    model: str
    contract: str
    pc_image: Path  # the same app for this computer


def suite_text(suite: Suite) -> str:
    """suites/<name>.robot."""
    return render("suite.robot.in", suite=suite, columns=_columns)


def resource_text(
    image: SuiteImage, emulator: str, folders: Mapping[str, Path], keywords: str, uart: str = ""
) -> str:
    """suites/emulator.resource: how the image is loaded and ended.

    emulator: "qemu" or "renode"; folders: variables of the suites; keywords: the library's Python name;
    uart: Renode's name of the serial line.
    """
    template = f"suite_{emulator}.resource.in"
    return render(template, image=image, folders=folders, keywords=keywords, uart=uart)


def _columns(*words: object) -> str:
    """Words of one line, four blanks between them. What Robot would take for its own syntax is escaped."""
    return "    ".join(str(word) for word in words)


def robot_word(text: str) -> str:
    """A text that is no variable, comment or several words to Robot."""
    for sign in "\\$@&%#=":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def cases_of(suites: Sequence[Suite]) -> int:
    """How many there are."""
    return sum(len(suite.cases) for suite in suites)
