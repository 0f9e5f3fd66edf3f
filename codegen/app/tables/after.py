# SPDX-License-Identifier: Apache-2.0
"""What may follow a front end's values: their slopes in time, and a fixed mean and deviation.

Kaldi's feature-functions.cc (DeltaFeatures) defines the slopes: over the n frames on either side the sum of
n (x[t + n] - x[t - n]), divided by twice the sum of n^2; the second order does that with the first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from codegen.app.spec import LogMel, Mfcc
from codegen.app.tables.rounding import nearest
from codegen.common.errors import UserError

UNIT = {"mfcc": 4096, "log_mel": 65536}  # of a front end's values to 1 of its publisher's
Following = Mfcc | LogMel  # front ends that have it


@dataclass(frozen=True)
class Factor:
    """A number as factor / 2^shift."""

    factor: int
    shift: int


@dataclass(frozen=True)
class Order:
    """Slopes of one order: weights of the frames kept, and what one of their sums counts."""

    weights: tuple[int, ...]
    quotient: Factor


@dataclass(frozen=True)
class Normal:
    """Of one value: its mean in the front end's unit, and 1 / deviation."""

    mean: int
    quotient: Factor


def orders(front_end: Following) -> tuple[Order, ...]:
    """Of deltas_t; none where there are no slopes."""
    reach = front_end.delta_frames
    slope = np.arange(-reach, reach + 1)
    kept = 2 * front_end.deltas * reach + 1
    weights, found = np.array([1]), []
    for order in range(1, front_end.deltas + 1):
        weights = np.convolve(weights, slope)
        around = (kept - len(weights)) // 2
        padded = np.pad(weights, around)
        found.append(Order(tuple(int(w) for w in padded), _factor(1 / int(slope @ slope) ** order, 22)))
    return tuple(found)


def normals(front_end: Following) -> tuple[Normal, ...]:
    """Of normalise_t; none where values stay as they are."""
    if not front_end.mean and not front_end.deviation:
        return ()
    means, deviations = (front_end.mean or (0.0,)), (front_end.deviation or (1.0,))
    unit = UNIT[front_end.section]
    pairs = zip(_each(means, front_end.size), _each(deviations, front_end.size), strict=True)
    return tuple(Normal(nearest(unit * mean), _factor(1 / deviation, 30)) for mean, deviation in pairs)


def _each(values: tuple[float, ...], count: int) -> tuple[float, ...]:
    return values * count if len(values) == 1 else values


def _factor(value: float, bits: int) -> Factor:
    """The number with a factor of so many bits."""
    shift = bits - 1 - math.floor(math.log2(value))
    factor = nearest(value * 2.0**shift)
    return Factor(factor, shift) if factor < 1 << bits else Factor(factor // 2, shift - 1)


def check_after(front_end: Following) -> None:
    """Lists of another length than a frame's: UserError."""
    for key in ("mean", "deviation"):
        count = len(getattr(front_end, key))
        if count not in (0, 1, front_end.size):
            slopes = f" and their slopes, {front_end.size} values" if front_end.deltas else ""
            raise UserError(
                f"{count} numbers; a frame has {front_end.statics} {front_end.values}{slopes}",
                place=f"[{front_end.section}] {key}",
                remedy=f"Write {front_end.size} numbers in the order of the values, or one for all.",
            )
