# SPDX-License-Identifier: Apache-2.0
"""Stimuli of the benchmark: a folder with y_labels.csv and the files that it names."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from codegen.common.errors import UserError

LABELS = "y_labels.csv"
_NUMBER = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True)
class Stimulus:
    """A file, whole or in windows. classes: how many there are; truth: its own, from 0; window and stride:
    bytes of each input and from one to the next, 0: the whole file is one."""

    file: Path
    classes: int
    truth: int
    window: int = 0
    stride: int = 0

    def inputs(self) -> Iterator[bytes]:
        """What a model gets of it, one after the other. UserError: it cannot be read, or is too short."""
        try:
            data = self.file.read_bytes()
        except OSError as error:
            raise UserError(f"cannot be read: {error.strerror}", file=self.file) from None
        size = self.window or len(data)
        if not data or len(data) < size:
            raise UserError(f"has {len(data)} bytes, less than one input of {size or 1}", file=self.file)
        for at in range(0, len(data) - size + 1, self.stride or size):
            yield data[at : at + size]


def read_stimuli(folder: Path) -> list[Stimulus]:
    """Those of a folder, in the order of its labels. UserError with file and line."""
    file = folder / LABELS
    try:
        rows = list(csv.reader(file.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else f"it is no text of rows: {error}"
        remedy = f"A folder of the benchmark's stimuli has a {LABELS}."
        raise UserError(f"cannot be read: {why}", file=file, remedy=remedy) from None
    stimuli = [_stimulus(folder, file, number, row) for number, row in enumerate(rows, 1) if row]
    if not stimuli:
        raise UserError("names no file", file=file)
    return stimuli


def _stimulus(folder: Path, file: Path, line: int, row: Sequence[str]) -> Stimulus:
    words = [word.strip() for word in row]
    numbers = words[1:]
    if len(words) not in (3, 5) or not all(_NUMBER.fullmatch(word) for word in numbers):
        wanted = "FILE,CLASSES,CLASS or FILE,CLASSES,CLASS,WINDOW,STRIDE"
        raise UserError(f"line {line}: {','.join(row)[:60]!r} is not {wanted}", file=file)
    classes, truth, *windows = map(int, numbers)
    if truth >= classes or 0 in windows:
        raise UserError(f"line {line}: class {truth} of {classes}, or a window of 0 bytes", file=file)
    return Stimulus(folder / words[0], classes, truth, *windows)


def top_1(scores: Sequence[Sequence[float]], truths: Sequence[int]) -> float:
    """Share of stimuli whose largest score is that of their class."""
    found = np.argmax(np.asarray(scores), axis=1)
    return float(np.mean(found == np.asarray(truths)))


def area_under_curve(scores: ArrayLike, truths: ArrayLike) -> float:
    """Of the receiver operating characteristic, class 1 against class 0: the share of pairs in which the one
    of class 1 has the larger score, equal ones counted half. NaN where a class is missing."""
    values, truth = np.asarray(scores, float), np.asarray(truths) == 1
    above = values[truth][:, None] - values[~truth][None, :]
    return float(np.mean((above > 0) + 0.5 * (above == 0))) if above.size else float("nan")
