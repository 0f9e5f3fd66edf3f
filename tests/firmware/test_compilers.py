# SPDX-License-Identifier: Apache-2.0
"""The example's image by other compilers and other options than those it ships with: the same decisions.

Whoever builds the generated C by a build of their own chooses these. EARSHOT_COMPILERS names more compilers,
"arm-none-eabi-gcc-14 clang-19", and lets every option be tried with those that are always there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.compile import FIRMWARE, WARNINGS
from tests.support.images import QEMU_BOARD
from tests.support.tools import need_tool
from toolbox.checksum import fill_checksum
from toolbox.options import EXAMPLE
from workbench.build import build
from workbench.targets import open_target

pytestmark = pytest.mark.xdist_group("images")

GCC, CLANG = "arm-none-eabi-gcc", "clang"
MORE = tuple(os.environ.get("EARSHOT_COMPILERS", "").split())
BY_DEFAULT = [(GCC, "-O3 -flto"), (CLANG, "-O2")]
BY_OPTION = [
    (compiler, options) for compiler in (GCC, CLANG) for options in ("-O3", "-O2 -flto", "-Os", "-O1")
]
ROOMS = (
    "pipeline",
    "device",
    "device/no_capture",
    "device/one_model",
    "device/unsmoothed",
    "port/mps2",
    "port/cortex_m",
)
SAMPLES = 24000


def sound() -> NDArray[np.int16]:
    """Loud noise in pieces, so that the gate opens and closes."""
    random = np.random.default_rng(7)
    loud = np.repeat(random.choice([1, 300], SAMPLES // 800), 800)
    samples: NDArray[np.int16] = (random.integers(-60, 61, SAMPLES) * loud).astype(np.int16)
    return samples


@lru_cache
def expected() -> list[str]:
    """Decisions and every stage by the PC's compiler."""
    with open_target("pc", build("pc", EXAMPLE).image) as device:
        device.command("stages on")
        lines = list(device.replay(sound()))
    assert sum('"ModelNumber"' in line for line in lines) > 5
    return lines


def newlib() -> str:
    """The C library's headers, beside the cross compiler's own."""
    command = [need_tool(GCC), "-E", "-v", "-x", "c", "/dev/null"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return str(re.findall(r"^ (/.*)$", output, re.MULTILINE)[-1])


def flags_of(compiler: str) -> tuple[list[str], list[str]]:
    """Of the machine: to compile, to link. Clang links by GCC, with the C library of its own convention."""
    core = ["-mcpu=cortex-m4", "-mthumb"]
    if "clang" not in compiler:
        machine = [*core, "-mgeneral-regs-only", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"]
        return machine, machine
    machine = ["--target=thumbv7em-none-eabi", "-mcpu=cortex-m4", "-mfloat-abi=soft", "-mfpu=none"]
    return [*machine, "-fshort-enums", "-isystem", newlib()], [
        *core,
        "-mfloat-abi=soft",
        "-Wl,-z,noexecstack",
    ]


def build_by(compiler: str, options: str, folder: Path) -> Path:
    """The example's image, all of it compiled anew."""
    built = build(QEMU_BOARD, EXAMPLE).directory
    made = [built / "generated", built.parent / "board"]
    machine, link = flags_of(compiler)
    flags = [*WARNINGS, *machine, *options.split(), "-g", "-ffunction-sections", "-fdata-sections"]
    flags += [f"-I{include}" for include in (FIRMWARE, *made)]
    folders = [*(FIRMWARE / room for room in ROOMS), *made]
    sources = [source for each in folders for source in sorted(each.glob("*.c"))]
    for index, source in enumerate(sources):
        words = [need_tool(compiler), *flags, "-c", str(source), "-o", str(folder / f"{index}.o")]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    linker = GCC if "clang" in compiler else compiler
    lto = [] if "clang" in compiler else options.split()
    objects = [str(folder / f"{index}.o") for index in range(len(sources))]
    words = [need_tool(linker), *link, *lto, *objects, "-nostartfiles", "--specs=nano.specs"]
    words += [f"-T{made[1] / 'linker.ld'}", "-Wl,--gc-sections,--build-id=sha1,--fatal-warnings"]
    done = subprocess.run(
        [*words, "-o", str(folder / "firmware.elf")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    fill_checksum(folder / "firmware.elf")
    return folder / "firmware.elf"


def check(compiler: str, options: str, folder: Path) -> None:
    """The image hears what the PC hears, stage by stage."""
    need_tool("qemu-system-arm")
    with open_target("qemu", build_by(compiler, options, folder), board=QEMU_BOARD) as device:
        device.command("stages on")
        assert list(device.replay(sound())) == expected()


@pytest.mark.parametrize(("compiler", "options"), BY_DEFAULT)
def test_another_compiler_decides_the_same(tmp_path: Path, compiler: str, options: str) -> None:
    need_tool(compiler)
    check(compiler, options, tmp_path)


@pytest.mark.parametrize(("compiler", "options"), [*BY_OPTION, *((each, "-O2") for each in MORE)])
def test_every_option_decides_the_same(tmp_path: Path, compiler: str, options: str) -> None:
    if not MORE:
        pytest.skip("EARSHOT_COMPILERS names no further compiler; all options are tried with it")
    if "clang" in compiler and "-flto" in options:
        pytest.skip(
            "clang's link-time optimisation needs its own linker, which the C library's specs do not know"
        )
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no program {compiler}, which EARSHOT_COMPILERS names")
    check(compiler, options, tmp_path)
