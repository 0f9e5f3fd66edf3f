# SPDX-License-Identifier: Apache-2.0
"""The factor that maps cepstra to 0..255."""

from __future__ import annotations

from codegen.app.spec import Scale
from codegen.common.errors import UserError

RANGE_MAX = 2**28  # the widest for which the product is the exact floor; see firmware/pipeline/scale.c


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
