# SPDX-License-Identifier: Apache-2.0
"""What maps the front end's values to 0..255."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codegen.app.spec import Scale
from codegen.common.errors import UserError

RANGE_MAX = 2**28  # the widest for which the product is the exact floor; see firmware/pipeline/scale.c


@dataclass(frozen=True)
class Formula:
    """(value * factor + addend) / divisor, rounded down, clamped to 0..255; less 128 it is the tensor's."""

    factor: int
    addend: int
    divisor: int


# Values of the micro front end are 25.6 times what models learn from, which lies in 0..26: 256 steps of
# 25.6 * 26 / 256, rounded to nearest.
_MICRO = Formula(256, 333, 666)

FORMULAS: Mapping[str, Formula] = {
    # ESPHome: components/micro_wake_word, where features become int8
    "micro_wake_word": _MICRO,
    # TensorFlow Lite Micro: examples/micro_speech, its feature generator and its scripts of training
    "micro_speech": _MICRO,
}


def scale_factors(scale: Scale) -> int | tuple[int, int, int]:
    """What the stage computes with: the range's multiplier, or the formula."""
    if scale.formula is None:
        return scale_multiplier(scale)
    formula = FORMULAS[scale.formula]
    return formula.factor, formula.addend, formula.divisor


def scale_multiplier(scale: Scale) -> int:
    """255 * 2^56 / (maximum - minimum), rounded up. The range is 1..RANGE_MAX."""
    return -(-255 * 2**56 // (scale.maximum - scale.minimum))


def check_scale(scale: Scale) -> None:
    """A range too wide for the exact floor: UserError."""
    if scale.maximum - scale.minimum > RANGE_MAX:
        raise UserError(
            f"a range of {scale.maximum - scale.minimum}; at most 2^28 = {RANGE_MAX} is allowed",
            place="[scale] maximum",
            remedy="Choose the range from what `features` shows: cepstra are far inside +-10000000.",
        )
