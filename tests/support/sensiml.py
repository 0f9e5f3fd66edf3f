# SPDX-License-Identifier: Apache-2.0
"""What a device of SensiML's sends, made here from the description of its form."""

from __future__ import annotations

import operator
import struct
from functools import reduce

import numpy as np
from numpy.typing import NDArray


def packet(sequence: int, samples: NDArray[np.int16]) -> bytes:
    """FF | length = payload + 6 | 00 | channel | sequence | payload | XOR from the 00 on."""
    body = bytes([0, 0]) + struct.pack("<I", sequence) + samples.astype("<i2").tobytes()
    return b"\xff" + struct.pack("<H", len(body)) + body + bytes([reduce(operator.xor, body)])
