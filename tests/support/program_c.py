# SPDX-License-Identifier: Apache-2.0
"""A C program for the PC under sanitizers, or for a Cortex-M4 in QEMU: bytes in, bytes out."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.compile import FIRMWARE, WARNINGS
from toolbox.options import C_FLAGS, HOSTED_FLAGS, MODEL_FLAGS

HERE = Path(__file__).resolve().parent
# Under the sanitizers the compiler took most of a test's time. A kernel is compiled once, not into each of
# its calls as in an image (the programs of `shipped` have it so), and with -Og, which is faster than -O1.
SANITIZE = (
    "-fsanitize=undefined,address",
    "-fno-sanitize-recover=all",
    "-Og",
    "-Dalways_inline=unused",
)
CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
SEMIHOST = ("--specs=rdimon.specs", f"-T{HERE / 'semihost.ld'}", str(HERE / "semihost.c"))
SECONDS = 2400
# What ships: the workbench's own library, and build.sh of a folder that `generate` wrote. Debug information,
# which changes no instruction, takes a quarter of the compiler's time.
SHIPPED = ((*(flag for flag in C_FLAGS if not flag.startswith("-g")), *HOSTED_FLAGS), ("-std=c11", "-O2"))
# Compiled alone, a model takes three times as long as among others: of more than MANY, which are random ones,
# only so many are.
MANY = 1000 if "EARSHOT_EXAMPLES" in os.environ else 24
ALONE = 12


class ProgramC:
    """A program built from `sources` in `folder`. target: "pc" or "qemu" (mps2-an386, semihosting)."""

    def __init__(
        self,
        folder: Path,
        sources: Sequence[Path],
        *,
        target: str = "pc",
        flags: Sequence[str] = ("-O1",),
        counted: bool = False,
        sanitize: Sequence[str] = SANITIZE,
        name: str = "program",
    ) -> None:
        """counted: the emulator's clock is the number of instructions, 64 ns each. sanitize: on "pc" only."""
        if target == "qemu":
            for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
                if shutil.which(tool) is None:
                    pytest.skip(f"{tool} is not installed")
        self.target, self.counted = target, counted
        self.path = folder / name
        common = [*WARNINGS, *flags, f"-I{FIRMWARE}", f"-I{folder}", *(str(source) for source in sources)]
        if target == "pc":
            command = ["gcc", *common, *sanitize]
        else:
            command = ["arm-none-eabi-gcc", *CORTEX_M4, *MODEL_FLAGS, *common, *SEMIHOST]
        result = subprocess.run([*command, "-o", str(self.path)], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise AssertionError(result.stderr[:4000])

    def run(self, data: bytes) -> bytes:
        """What the program writes for `data` on its input."""
        command = [str(self.path)]
        if self.target == "qemu":
            command = [
                "qemu-system-arm",
                "-M",
                "mps2-an386",
                "-nographic",
                "-monitor",
                "none",
                "-serial",
                "none",
            ]
            command += ["-icount", "shift=6"] if self.counted else []
            command += ["-semihosting-config", "enable=on,target=native", "-kernel", str(self.path)]
        result = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS, check=False)
        if result.returncode != 0:
            raise AssertionError(result.stderr.decode("utf-8", "replace")[:4000])
        return result.stdout


def alone(count: int) -> list[int]:
    """Which of `count` models are compiled alone: all, or of more than MANY some, spread over all."""
    return [turn * count // ALONE for turn in range(ALONE)] if count > MANY else list(range(count))


def rows_of(rows: Sequence[str]) -> list[str]:
    """Rows of C, one a model: all of them, or with -DALONE those of alone()."""
    return ["#ifdef ALONE", *(rows[index] for index in alone(len(rows))), "#else", *rows, "#endif"]


def shipped(folder: Path, main: Path, units: Sequence[str]) -> ProgramC:
    """A program for the PC without sanitizers: each file by one of SHIPPED in turn, `main` with -DALONE."""
    for turn, flags in enumerate(SHIPPED):
        mine = units[turn :: len(SHIPPED)]
        if mine:
            command = ["gcc", *flags, f"-I{FIRMWARE}", f"-I{folder}", "-c", *mine]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[:4000]
    objects = [folder / Path(unit).with_suffix(".o").name for unit in units]
    return ProgramC(folder, [main, *objects], flags=["-O1", "-DALONE"], sanitize=(), name="shipped")


def answers(
    program: ProgramC, shipped: ProgramC | None, sent: Sequence[bytes], sizes: Sequence[int]
) -> list[bytes]:
    """What each model answers, of as many bytes as sizes says; as it ships it must answer the same."""
    whole = program.run(b"".join(sent))
    assert len(whole) == sum(sizes)
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    found = [whole[start : start + size] for start, size in zip(starts, sizes, strict=True)]
    if shipped is not None:
        chosen = alone(len(sent))
        again = shipped.run(b"".join(sent[index] for index in chosen))
        assert again == b"".join(found[index] for index in chosen), "as it ships it gives other bytes"
    return found
