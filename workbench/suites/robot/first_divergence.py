# SPDX-License-Identifier: Apache-2.0
"""What was done to an image, done again to two of them with all stages on: where they part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError
from workbench.targets import Device
from workbench.verify.parity import first_difference


@dataclass(frozen=True, eq=False)
class Play:
    """A replay, or its continuation."""

    samples: NDArray[np.int16]
    from_scratch: bool


@dataclass(frozen=True)
class Set:
    """`set KEY VALUE`"""

    key: str
    value: int


@dataclass(frozen=True)
class Reset:
    """`reset`"""


Act = Play | Set | Reset


def first_divergence(pc: Device, image: Device, settings: Mapping[str, int], acts: Sequence[Act]) -> str:
    """One sentence: the window and stage at which image and PC first differ, with both values.

    settings: those of the image as it started.
    """
    try:
        for key, value in settings.items():
            image.command(f"set {key} {value}")
        parts = zip(_lines(pc, acts), _lines(image, acts), strict=True)
        for ours, theirs in parts:
            found = first_difference(ours, theirs)
            if found is not None:
                where = f"They part in window {found.window} at stage {found.stage}"
                if found.value is None:
                    return f"{where}: {found.ours} on this computer, {found.theirs} here."
                assert isinstance(found.ours, tuple)
                assert isinstance(found.theirs, tuple)
                values = f"{found.ours[found.value]} on this computer, {found.theirs[found.value]} here"
                return f"{where}, value {found.value}: {values}."
    except UserError as error:
        return f"Where they part could not be found out: {error}"
    return "Played again, image and computer agree at every stage: the expected lines are of other settings."


def _lines(device: Device, acts: Sequence[Act]) -> list[list[str]]:
    """The stage and decision lines of each stretch between two resets."""
    device.command("stages on")
    reported: list[list[str]] = []
    for act in acts:
        if isinstance(act, Set):
            device.command(f"set {act.key} {act.value}")
        elif isinstance(act, Reset):
            device.command("reset")
            reported.append([])
        else:
            lines = list(device.replay(act.samples, from_scratch=act.from_scratch))
            if act.from_scratch or not reported:
                reported.append([])
            reported[-1] += lines
    device.command("stages off")
    return reported
