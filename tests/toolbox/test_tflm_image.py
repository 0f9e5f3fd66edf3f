# SPDX-License-Identifier: Apache-2.0
"""The engine tflm end to end with a toy in TFLM's place: build, measured arena, lines, refusals.

The toy adds up its input (tests/support/toy_tflm.py), so its answers are known without any of Earshot's C.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.board.description import load_board
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from tests.support.arena import with_arena
from tests.support.clone import reported
from tests.support.toy_tflm import (
    INPUTS,
    M33_HARD,
    ON_THE_WAY,
    REFUSED,
    build_library,
    expected,
    need_cxx,
    toy_app,
    toy_packs,
    toy_tree,
)
from toolbox.scons import scons_command, scons_environment
from workbench.protocol.lines import Error, Lines
from workbench.targets import Device, open_target
from workbench.targets.qemu import QemuOptions, qemu_link

pytestmark = pytest.mark.xdist_group("tflm")
STEP = 16  # bytes: alignment of the arena
ARENA = -(-ON_THE_WAY // STEP) * STEP


def scons(*words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """SCons of this clone, without what the environment says of TFLM."""
    environment = {**scons_environment(), "SCONSFLAGS": "", "EARSHOT_TFLM": "", **(env or {})}
    return subprocess.run(
        [*scons_command(), *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


class Toy:
    """A checkout, an app whose model aot refuses, and where both are built."""

    def __init__(self, folder: Path) -> None:
        self.tree = toy_tree(folder / "tree")
        self.app = toy_app(folder / "adder", refused=True)
        self.build = folder / "build"

    def words(self, *more: str, board: str = "mps2_an386") -> list[str]:
        """Of a build with this checkout."""
        words = [f"board={board}", f"app={self.app}", f"build={self.build}", "engine=tflm"]
        return [*words, f"tflm={self.tree}", *more]

    def folder(self, board: str = "mps2_an386") -> Path:
        """Where the image lies."""
        return self.build / board / "adder-tflm"


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    need_cxx()
    toy = Toy(tmp_path_factory.mktemp("toy"))
    done = scons(*toy.words())
    assert done.returncode == 0, done.stdout + done.stderr
    (toy.build / "said.txt").write_text(done.stdout)
    return toy


def answers(device: Device, inputs: NDArray[np.int8]) -> NDArray[np.int8]:
    return np.array([np.frombuffer(device.tensor(row.tobytes()), np.int8) for row in inputs])


def some_inputs() -> NDArray[np.int8]:
    inputs = np.random.default_rng(3).integers(-128, 128, (20, INPUTS)).astype(np.int8)
    inputs[:, 0] = np.where(inputs[:, 0] == REFUSED, 0, inputs[:, 0])
    return inputs


def test_the_library_answers(toy: Toy) -> None:
    inputs = some_inputs()
    with open_target("qemu", toy.folder() / "firmware.elf") as device:
        assert device.boot.engine == "tflm"
        assert np.array_equal(answers(device, inputs), expected(inputs))
        # A kernel that fails is an error line; the next run is as good as any.
        refused = inputs[:1].copy()
        refused[0, 0] = REFUSED
        with pytest.raises(UserError, match="was refused"):
            device.tensor(refused.tobytes())
        assert np.array_equal(answers(device, inputs), expected(inputs))


def test_what_was_found_is_reported(toy: Toy) -> None:
    said = (toy.build / "said.txt").read_text()
    assert f"TensorFlow Lite Micro of unknown version in {toy.tree}" in said
    assert str(toy.tree / "gen/toy/lib/libtensorflow-microlite.a") in said


def test_the_arena_is_measured(toy: Toy) -> None:
    """More than the toy says it uses, for it needs more on the way; and no step more than that. Of the sizes
    before it one ends in a fault, and in another the toy computes something else."""
    assert json.loads((toy.folder() / "arena.json").read_text()) == {"arena": ARENA, "used": ON_THE_WAY - 180}
    assert ARENA - STEP < ON_THE_WAY <= ARENA


def test_a_library_that_faults_is_reported(toy: Toy, tmp_path: Path) -> None:
    tree = toy_tree(tmp_path / "tree", faults=True)
    words = [word for word in toy.words() if not word.startswith(("tflm=", "build="))]
    message = reported(scons(*words, f"tflm={tree}", f"build={tmp_path / 'build'}"))
    assert "does not run the model" in message
    assert "it ends in a fault of the processor" in message


def lines_until_boot(image: Path) -> list[str]:
    """Before anybody asks: TFLM's own words among them."""
    link = qemu_link(load_board("mps2_an386"), image, QemuOptions())
    lines, said = Lines(), list[str]()
    try:
        for _ in range(100):
            said += lines.take(link.receive(0.2))
            if any(line.startswith('{"boot"') for line in said):
                return said
    finally:
        link.close()
    raise AssertionError(said)


def test_one_step_less_does_not_start(toy: Toy, tmp_path: Path) -> None:
    image = toy.folder() / "firmware.elf"
    inputs = some_inputs()[:2]
    with open_target("qemu", with_arena(image, tmp_path / "same", "adder", ARENA, ARENA)) as device:
        assert np.array_equal(answers(device, inputs), expected(inputs))
    less = with_arena(image, tmp_path / "less", "adder", ARENA, ARENA - STEP)
    assert '{"error":"tflm","detail":7,"reason":"toy: 208 bytes of 100% ","code":33}' in lines_until_boot(
        less
    )
    assert (
        '{"error":"tflm","detail":3,"reason":"arena too small or layer refused","code":33}'
        in lines_until_boot(less)
    )
    with open_target("qemu", less) as device:
        answer = device.command("reset")
        assert isinstance(answer, Error)
        assert (answer.what, answer.detail, answer.more["reason"]) == ("model", 3, "did not start")


def test_a_second_build_does_nothing(toy: Toy) -> None:
    done = scons(*toy.words())
    assert done.returncode == 0
    assert not any(word in done.stdout for word in ("CC ", "CXX ", "LD ", "MEASURE", "GEN "))


def test_the_table_of_sizes_shows_the_parts(toy: Toy) -> None:
    rows = {
        line.split()[0]: line for line in (toy.folder() / "size.txt").read_text().splitlines() if " B" in line
    }
    assert {"interpreter", "kernels", "CMSIS-NN", "shim", "model", "arena"} <= rows.keys()
    model = int(rows["model"].split()[1].replace(",", ""))
    assert model >= (toy.app / "model.tflite").stat().st_size
    assert int(rows["arena"].split()[1].replace(",", "")) == ARENA


def test_an_arena_limit_too_small_leaves_nothing(toy: Toy, tmp_path: Path) -> None:
    words = [word for word in toy.words("arena=200") if not word.startswith("build=")]
    message = reported(scons(*words, f"build={tmp_path}"))
    assert f"TFLM's arena has to be {ARENA} bytes for this model; arena=200 allows less" in message
    assert f"arena={ARENA}" in message
    assert not list(tmp_path.rglob("firmware.*"))
    done = scons(*words[:-1], f"arena={ARENA}", f"build={tmp_path}")
    assert done.returncode == 0, done.stderr


def test_a_library_without_the_kernel_leaves_no_image(toy: Toy, tmp_path: Path) -> None:
    """CMSIS-NN is in the library, but what the operator calls is not its kernel."""
    tree = toy_tree(tmp_path / "tree", kernel="_ZN6tflite21reference_integer_ops14FullyConnectedEv")
    words = ["board=mps2_an386", f"app={toy.app}", f"build={tmp_path / 'build'}"]
    message = reported(scons(*words, "engine=tflm", f"tflm={tree}"))
    assert "does not use CMSIS-NN in this image" in message
    assert "arm_fully_connected_wrapper_s8 or arm_fully_connected_s8 is not in it" in message
    assert "the reference kernel _ZN6tflite21reference_integer_ops14FullyConnectedEv is in it" in message
    assert not list((tmp_path / "build").rglob("firmware.*"))


def test_another_core(toy: Toy) -> None:
    """Refused with what was found, until a library for the core is there."""
    shutil.rmtree(toy.tree / "gen/m33", ignore_errors=True)
    message = reported(scons(*toy.words(board="mps2_an505")))
    assert "v7E-M, hard-float ABI; mps2_an505 needs Cortex-M33 (v8-M.mainline), hard-float ABI" in message
    assert "TARGET_ARCH=cortex-m33 " in message
    build_library(toy.tree, M33_HARD, build="m33")
    done = scons(*toy.words(board="mps2_an505"))
    assert done.returncode == 0, done.stdout + done.stderr
    inputs = some_inputs()[:3]
    with open_target("qemu", toy.folder("mps2_an505") / "firmware.elf", board="mps2_an505") as device:
        assert np.array_equal(answers(device, inputs), expected(inputs))


def test_the_key_of_the_app(toy: Toy, tmp_path: Path) -> None:
    """engine = "tflm" builds it for a board; on the computer aot stands in, with TFLM's bits."""
    app = toy_app(tmp_path / "adder", 'engine = "tflm"\n')
    common = (f"app={app}", f"build={tmp_path / 'build'}")
    done = scons("board=mps2_an386", *common, "generated", env={"EARSHOT_TFLM": str(toy.tree)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tflm_start" in (tmp_path / "build/mps2_an386/adder-tflm/generated/adder_model.c").read_text()
    done = scons("board=pc", *common, "generated")
    assert done.returncode == 0, done.stdout + done.stderr
    model = (tmp_path / "build/pc/adder/generated/adder_model.c").read_text()
    assert "TensorFlow Lite Micro" in model
    assert "tflm_start" not in model


def test_a_compiler_without_its_headers_is_reported(toy: Toy, tmp_path: Path) -> None:
    """The C++ compiler comes with the C one, its headers do not."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "arm-none-eabi-g++").write_text("#!/bin/sh\nexit 1\n")
    (programs / "arm-none-eabi-g++").chmod(0o755)
    message = reported(scons(*toy.words(), env={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}))
    assert "arm-none-eabi-g++ (builds the engine tflm) is not whole: its headers are missing" in message
    assert "libstdc++-arm-none-eabi-newlib" in message
    done = scons(*toy.words()[:3], "-n", env={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"})
    assert done.returncode == 0, done.stderr  # the engine aot does not ask for it


def test_packs_are_compiled_as_they_describe(toy: Toy, tmp_path: Path) -> None:
    cache = toy_packs(tmp_path / "cache")
    words = ("board=mps2_an386", f"app={toy.app}", f"build={tmp_path / 'build'}", "engine=tflm")
    done = scons(*words, env={"EARSHOT_PACKS": str(cache)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 sources of CMSIS-Packs: tensorflow.tensorflow-lite-micro 1.0.0" in done.stdout
    inputs = some_inputs()
    with open_target("qemu", tmp_path / "build/mps2_an386/adder-tflm/firmware.elf") as device:
        assert np.array_equal(answers(device, inputs), expected(inputs))
    again = scons(*words, env={"EARSHOT_PACKS": str(cache)})
    assert "CC " not in again.stdout
