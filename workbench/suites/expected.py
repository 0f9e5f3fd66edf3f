# SPDX-License-Identifier: Apache-2.0
"""The decision lines that the suites expect: the same keywords, carried out on this computer's image."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from codegen.common.errors import UserError
from codegen.emit.suite import Case, Keyword, Suite, robot_word
from workbench.suites.robot.keywords import Keywords, WrongError


class ExpectedRecorder(Keywords):
    """Writes the lines that the others compare with. Its serial line has no troubles: they change nothing."""

    def __init__(self, image: Path, folders: Mapping[str, Path]) -> None:
        """image: for this computer. folders: the suites' variables."""
        super().__init__()
        self._pc = image
        self._folders = folders

    def carry_out(self, case: Case) -> Case:
        """All steps; the case, with what was decided in its documentation.

        UserError where already this computer does not do what the case says.
        """
        try:
            self.load_the_image()
            for step in case.steps:
                self._do(step)
        except (WrongError, UserError) as error:
            raise UserError(
                f'the case "{case.name}" does not hold on this computer: {error}',
                remedy="Is it the app's pipeline.toml? The example's suites pass.",
            ) from None
        finally:
            self.end_image()
        labels = Counter(decision.label for decision in self._decisions())
        total = f"{sum(labels.values())} decision{'s' * (sum(labels.values()) != 1)}"
        counts = ", ".join(f"{count} {label}" for label, count in labels.most_common())
        reported = f"{case.documentation}; {total}" + (f": {robot_word(counts)}" if counts else "")
        return dataclasses.replace(case, documentation=reported)

    def load_the_image(self) -> None:
        """From the emulator's resource file."""
        self.load_image(str(self._pc), "pc")

    def decisions_should_be(self, file: str) -> None:
        """They are what the others should have."""
        Path(file).write_text("".join(f"{line}\n" for line in self._lines), encoding="ascii")

    def damage_bytes_on_the_line(self, rate: str | float, seed: str | int = 1) -> None:
        """Not here."""

    def damage_lines(self, rate: str | float, *damages: str, seed: str | int = 1) -> None:
        """Not here."""

    def something_should_have_been_damaged(self) -> None:
        """Not here."""

    def _do(self, step: Keyword) -> None:
        words = [self._replaced(word) for word in step.arguments]
        named = dict(word.split("=", 1) for word in words if _is_named(word))
        method = getattr(self, step.keyword.lower().replace(" ", "_"))
        method(*(word for word in words if not _is_named(word)), **named)

    def _replaced(self, word: str) -> str:
        for name, folder in self._folders.items():
            word = word.replace(f"${{{name}}}", str(folder))
        return word.replace("\\", "")


def _is_named(word: str) -> bool:
    return word.split("=", 1)[0] in ("seed", "samples", "from_window") and "=" in word


def expect(suites: list[Suite], image: Path, folders: Mapping[str, Path]) -> list[Suite]:
    """Carries out every case here; the suites, with what was decided in their documentation."""
    recorder = ExpectedRecorder(image, folders)
    return [
        dataclasses.replace(suite, cases=tuple(recorder.carry_out(case) for case in suite.cases))
        for suite in suites
    ]
