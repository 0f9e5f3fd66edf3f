# SPDX-License-Identifier: Apache-2.0
"""generate of a bare model: a folder that any C11 compiler builds, with the interpreter's outputs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.passes.legalise import load_graph
from tests.codegen.ops.test_mean import side_by_side
from tests.codegen.ops.test_rescale import float_ends
from tests.codegen.ops.test_variable import Stream
from tests.models.networks import beside_halves, tutorial_like
from tests.support.build_sh import build
from tests.support.cli import earshot, refused
from tests.support.compile import WARNINGS
from tests.support.exact import Step
from tests.support.tflm import tflm_reference
from tests.support.tools import need_tool
from tests.support.tutorial import tutorial_app
from workbench.verify.reference import ReferenceInterpreter

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
MODELS = ("tutorial", "stream", "floats", "mean")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models, and what `earshot generate` writes for each."""
    folder = tmp_path_factory.mktemp("generate")
    tutorial_like(folder / "tutorial.tflite", 5)
    (folder / "stream.tflite").write_bytes(Stream(1, (3,), 4, True, False, 1).build().bytes())
    float_ends(folder / "floats.tflite", Step(0.5, 10), "int8")
    (folder / "mean.tflite").write_bytes(side_by_side(8).build().bytes())
    for model in MODELS:
        done = earshot("generate", folder / f"{model}.tflite", "-o", folder / model)
        assert done.returncode == 0, done.stderr
    return folder


def inputs_for(model: Path) -> NDArray[Any]:
    tensor = load_graph(model).input
    random = np.random.default_rng(4)
    if tensor.dtype == "float32":
        return (random.normal(size=(6, *tensor.shape[1:])) * 40).astype(np.float32)
    return random.integers(-128, 128, (6, *tensor.shape[1:]), np.int8)


def outputs(program: Path, inputs: NDArray[Any]) -> list[list[float]]:
    done = subprocess.run([program], input=inputs.tobytes(), capture_output=True, check=True)
    return [[float(word) for word in line.split()] for line in done.stdout.decode().splitlines()]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("compiler", "flags"), [("gcc", ("-O1", *SANITIZERS)), ("gcc", ()), ("clang", ("-O2",))]
)
def test_the_example_gives_the_interpreters_outputs(
    folder: Path, model: str, compiler: str, flags: tuple[str, ...]
) -> None:
    """Warnings are errors; gcc's first build stops at the first overflow or stray access. Without flags: as
    build.sh builds it for whoever gives none."""
    inputs = inputs_for(folder / f"{model}.tflite")
    program = build(folder / model, need_tool(compiler), *((*WARNINGS, *flags) if flags else ()))
    with ReferenceInterpreter(folder / f"{model}.tflite") as reference:
        expected = reference.run(inputs)
    assert outputs(program, inputs) == expected.reshape(len(inputs), -1).astype(float).tolist()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4", "cortex-m55"])
def test_it_compiles_for_cortex_m(folder: Path, model: str, core: str, tmp_path: Path) -> None:
    """Without warnings, and the objects want nothing of libraries but memory functions."""
    compiler = need_tool("arm-none-eabi-gcc")
    sources = [path for path in sorted((folder / model).rglob("*.c")) if path.name != "main.c"]
    assert [path.name for path in sources] == [f"{model}_model.c"]
    command = [compiler, *WARNINGS, "-Os", f"-mcpu={core}", "-mthumb", f"-I{folder / model}", "-c"]
    command += [str(source) for source in sources]
    done = subprocess.run([*command, "-o", tmp_path / "model.o"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    reported = subprocess.run(
        ["arm-none-eabi-nm", "-u", tmp_path / "model.o"], capture_output=True, text=True, check=True
    )
    wanted = {line.split()[-1] for line in reported.stdout.splitlines()}
    helpers = re.compile(
        r"__aeabi_u?(l?mul|i?div|idivmod|ldivmod|l[la]s[lr]|lcmp)|__clz[sd]i2|__gnu_thumb1_case.*"
    )
    memory = {"memcpy", "memmove", "memset", "__aeabi_memcpy", "__aeabi_memset"}
    assert {name for name in wanted if not helpers.fullmatch(name)} <= memory


def test_the_folder_holds_what_it_needs_and_no_more(folder: Path) -> None:
    """Every header is included by something; its five lines are C that compiles."""
    for model in MODELS:
        files = {str(path.relative_to(folder / model)) for path in (folder / model).rglob("*.[ch]")}
        included = {
            name
            for path in (folder / model).rglob("*.[ch]")
            for name in re.findall(r'#include "([^"]+)"', path.read_text())
        }
        assert {name for name in files if name.endswith(".h")} == included


def test_the_five_lines_are_c(folder: Path, tmp_path: Path) -> None:
    for model in MODELS:
        text = (folder / model / "README.txt").read_text()
        include, input_, output, start, run = re.findall(
            r"^    (#include .*|static .*|\w+_model\..*)$", text, re.M
        )
        lines = [include, "int main(void)", "{", input_, output, start, run, "return output[0] == 77;", "}"]
        (tmp_path / "use.c").write_text("\n".join(lines))
        command = ["gcc", "-std=c11", "-Wall", "-Werror", f"-I{folder / model}", "use.c"]
        done = subprocess.run(
            [*command, folder / model / f"{model}_model.c", "-o", "use"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert subprocess.run([tmp_path / "use"], check=False).returncode == 0


def test_kernels_and_reference_are_chosen(tmp_path: Path) -> None:
    model = beside_halves(tmp_path / "halves.tflite")
    out = tmp_path / "sources"
    done = earshot("generate", model, "-o", out, "--kernels", "fast", "--reference", "tflm")
    assert done.returncode == 0, done.stderr
    assert 'nn/fast.h"' in (out / "halves_model.c").read_text()
    inputs = np.random.default_rng(1).integers(-128, 128, (2000, 2), dtype=np.int8)
    with tflm_reference(model) as tflm, ReferenceInterpreter(model) as litert:
        expected, other = tflm.run(inputs), litert.run(inputs)
    assert not np.array_equal(expected, other)
    assert outputs(build(out, "gcc", "-O2"), inputs) == expected.astype(float).tolist()


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    app = tutorial_app(tmp_path / "door")
    assert "One of the two" in refused("generate", "-o", tmp_path / "out")
    reported = refused("generate", "--app", app, "--kernels", "fast", "-o", tmp_path / "out")
    assert 'kernels = "fast" under [classifier]' in reported
    reported = refused("generate", "--app", app, "--reference", "tflm", "-o", tmp_path / "out")
    assert 'reference = "tflm" under [classifier]' in reported
