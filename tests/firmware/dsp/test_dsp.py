# SPDX-License-Identifier: Apache-2.0
"""The DSP instructions and the portable version beside each, against definitions in Python's integers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.common.paths import ROOT
from tests.support.compile import FIRMWARE
from tests.support.program_c import ProgramC

MAIN = ROOT / "tests" / "support" / "dsp_main.c"
EDGES = (0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x00010001, 0x7FFF7FFF, 0x80008000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def signed(value: int, bits: int = 32) -> int:
    """The value of the lowest `bits`, the topmost of them its sign."""
    return (value & (1 << bits) - 1) - ((value & 1 << bits - 1) << 1)


def halves(word: int) -> tuple[int, int]:
    """Low and high."""
    return signed(word, 16), signed(word >> 16, 16)


def joined(low: int, high: int) -> int:
    """A pair, each half modulo 2^16."""
    return low & 0xFFFF | (high & 0xFFFF) << 16


def by_halves(operation: Callable[[int, int], int]) -> Callable[[int, int, int], int]:
    """Low with low, high with high."""
    return lambda a, b, _: joined(*map(operation, halves(a), halves(b)))


def by_bytes(operation: Callable[[int, int], int]) -> Callable[[int, int, int], int]:
    """Byte with byte, each with its sign."""

    def of_words(a: int, b: int, _: int) -> int:
        pairs = ((signed(a >> bit, 8), signed(b >> bit, 8)) for bit in range(0, 32, 8))
        return int.from_bytes([operation(*pair) & 0xFF for pair in pairs], "little")

    return of_words


def even(word: int) -> int:
    """Bytes 0 and 2."""
    return joined(signed(word, 8), signed(word >> 16, 8))


def dot(a: int, b: int) -> int:
    """The sum of both products."""
    return sum(x * y for x, y in zip(halves(a), halves(b), strict=True))


def crossed(a: int, b: int, sign: int) -> int:
    """a +- i b of complex numbers."""
    (re_a, im_a), (re_b, im_b) = halves(a), halves(b)
    return joined(re_a - sign * im_b, im_a + sign * re_b)


NO_SIGN = 0x7FFF7FFF
DEFINITIONS: dict[str, Callable[[int, int, int], int]] = {
    "low": lambda a, b, c: halves(a)[0],
    "high": lambda a, b, c: halves(a)[1],
    "pair": lambda a, b, c: joined(a, b),
    "twice": lambda a, b, c: joined(a, a),
    "lows": lambda a, b, c: joined(a, b),
    "highs": lambda a, b, c: joined(a >> 16, b >> 16),
    "low_and_high": lambda a, b, c: joined(a, b >> 16),
    "quotients": lambda a, b, c: joined(signed(a) >> 14, signed(b) >> 2 >> 14),
    "swap": lambda a, b, c: joined(a >> 16, a),
    "even": lambda a, b, c: even(a),
    "odd": lambda a, b, c: even(a >> 8),
    "reversed": lambda a, b, c: int(f"{a:032b}"[::-1], 2),
    "highest_bit": lambda a, b, c: (a | 1).bit_length() - 1,
    "add": by_halves(lambda x, y: x + y),
    "subtract": by_halves(lambda x, y: x - y),
    "add_even": lambda a, b, c: joined(*(x + y for x, y in zip(halves(a), halves(even(b)), strict=True))),
    "add_odd": lambda a, b, c: joined(*(x + y for x, y in zip(halves(a), halves(even(b >> 8)), strict=True))),
    "mean": by_halves(lambda x, y: (x + y) >> 1),
    "half_difference": by_halves(lambda x, y: (x - y) >> 1),
    "add_turned": lambda a, b, c: crossed(a, b, 1),
    "subtract_turned": lambda a, b, c: crossed(a, b, -1),
    "excess": by_halves(lambda x, y: max((x & 0xFFFF) - (y & 0xFFFF), 0)),
    "at_least": by_halves(lambda x, y: int(x >= y)),
    "larger": by_halves(max),
    "smaller": by_halves(min),
    "larger_bytes": by_bytes(max),
    "smaller_bytes": by_bytes(min),
    "four_times": lambda a, b, c: (a & 0xFF) * 0x01010101,
    "low_low": lambda a, b, c: c + halves(a)[0] * halves(b)[0],
    "low_high": lambda a, b, c: c + halves(a)[0] * halves(b)[1],
    "high_high": lambda a, b, c: c + halves(a)[1] * halves(b)[1],
    "dot": lambda a, b, c: c + dot(a, b),
    "difference": lambda a, b, c: (
        halves(a & NO_SIGN)[0] * halves(b)[0] - halves(a & NO_SIGN)[1] * halves(b)[1]
    ),
    "cross_difference": lambda a, b, c: (
        halves(a & NO_SIGN)[0] * halves(b)[1] - halves(a & NO_SIGN)[1] * halves(b)[0]
    ),
    "power": lambda a, b, c: dot(a, a),
    "multiply_high": lambda a, b, c: c + (signed(a) * signed(b) + 2**31 >> 32),
    "product_high": lambda a, b, _: signed(a) * signed(b) + 2**31 >> 32,
    "product_off": lambda a, b, c: c + (2**31 - signed(a) * signed(b) >> 32),
    "product_wide": lambda a, b, _: signed(a) * signed(b, 16) >> 16,
    "shifted": lambda a, b, c: (signed(a) << 32 | b) + (1 << c % 31) >> 1 + c % 31,
    "multiply_add": lambda a, b, c: c + (signed(a) * signed(b) >> 32),
    "accumulate": lambda a, b, c: (c << 32 | b) + a * b,
    "saturate": lambda a, b, c: max(-128, min(127, signed(a))),
    "saturate of nine bits": lambda a, b, c: max(-128, min(127, signed(a) >> 23)),
}


@pytest.fixture(scope="module")
def operands() -> NDArray[np.uint32]:
    """Three words a row: every pair of edges, and random ones."""
    random = np.random.default_rng(12)
    pairs = [(a, b, int(random.choice(EDGES))) for a in EDGES for b in EDGES]
    words = random.integers(0, 1 << 32, (400, 3), dtype=np.uint64)
    return np.concatenate([np.array(pairs, np.uint64), words]).astype(np.uint32)


def reported(folder: Path, target: str, operands: NDArray[np.uint32]) -> list[str]:
    """The lines of dsp_main.c."""
    program = ProgramC(folder, [MAIN], target=target, flags=("-O2",))
    return program.run(operands.astype("<u4").tobytes()).decode().splitlines()


@pytest.fixture(scope="module")
def portable(tmp_path_factory: pytest.TempPathFactory, operands: NDArray[np.uint32]) -> list[str]:
    """Of this computer, under sanitizers."""
    return reported(tmp_path_factory.mktemp("portable"), "pc", operands)


def test_the_portable_versions_are_the_definitions(portable: list[str], operands: NDArray[np.uint32]) -> None:
    lines = iter(portable)
    for a, b, c in operands.tolist():
        for name, definition in DEFINITIONS.items():
            bits = 64 if name == "accumulate" else 32
            expected = definition(a, b, c) & (1 << bits) - 1
            assert next(lines) == f"{name.split(' of ')[0]} {expected:016x}", (hex(a), hex(b), hex(c))


def test_every_function_is_tried() -> None:
    text = "".join((FIRMWARE / "dsp" / name).read_text() for name in ("dsp.h", "memory.h", "product.h"))
    functions = set(re.findall(r"^DSP_INLINE .*?\bdsp_(\w+)\(", text, re.MULTILINE))
    inner = {"move_columns_8", "move_columns_16"}  # of move_columns
    main = MAIN.read_text()
    assert {name for name in functions - inner if not re.search(rf"\b(dsp_)?{name}\b", main)} == set()
    assert DEFINITIONS.keys() - {"saturate of nine bits"} <= functions


def values_of(portable: list[str], name: str) -> list[list[int]]:
    """The lines of moves."""
    return [[int(word) for word in line.split()[1:]] for line in portable if line.startswith(f"{name} ")]


def test_moves_are_their_definitions(portable: list[str]) -> None:
    source = [signed(i * 259 - 9000, 16) for i in range(160)]
    for kept, found in zip(range(8, 41, 8), values_of(portable, "move_columns"), strict=True):
        expected = source.copy()
        for column in range(0, 150, 50):
            expected[column : column + kept] = source[column + 6 : column + 6 + kept]
        assert found == expected
    for count, found in zip((16, 32, 48), values_of(portable, "move_down"), strict=True):
        assert found == [*source[4 : 4 + count], *source[count:]]
    for size, run, columns in ((16, 34, 4), (8, 10, 7)):
        spread = [0] * 160
        for column in range(columns):
            spread[column * run : column * run + size] = source[column * size : (column + 1) * size]
        assert values_of(portable, f"spread_{size}") == [spread]
    assert values_of(portable, "put_two") == [[1, -2, 3, -2]]
    assert values_of(portable, "put_wide") == [[1]]
    assert values_of(portable, "store_pair") == [[0, 0x7FFE, -0x7FFF, 0]]


def test_the_instructions_give_the_same_bits(
    tmp_path: Path, portable: list[str], operands: NDArray[np.uint32]
) -> None:
    assert reported(tmp_path, "qemu", operands) == portable


def test_one_header_wraps_the_instructions() -> None:
    """Neither the front end nor the kernels ask the compiler what the core has: dsp/ does."""
    asking = [
        file.relative_to(FIRMWARE).as_posix()
        for file in FIRMWARE.rglob("*.[ch]")
        if "__ARM_FEATURE" in file.read_text() or "arm_acle.h" in file.read_text()
    ]
    assert asking == ["dsp/dsp.h"]
