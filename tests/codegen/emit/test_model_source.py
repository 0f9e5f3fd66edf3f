# SPDX-License-Identifier: Apache-2.0
"""The generated C of a model: the same bytes every time, clean for two compilers, readable."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from codegen.common.render import render
from codegen.compile import run_passes
from codegen.emit.model import model_source
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.models.networks import dense_only, tutorial_like
from tests.support.compile import FIRMWARE, WARNINGS
from tests.support.exact import check
from tests.support.models_c import model_plan, spec_of
from tests.support.program_c import CORTEX_M4


def source(path: Path, *, kernels: str = "small", scratch: int = 0, name: str = "lock") -> str:
    return model_source(run_passes(spec_of(name, kernels), load_graph(path)), scratch)


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    first = source(tutorial_like(tmp_path / "model.tflite", 1))
    second = source(tutorial_like(tmp_path / "elsewhere" / "other.tflite", 1))
    assert first == second
    assert str(tmp_path) not in first
    assert not re.search(r"20\d\d-\d\d|\d\d:\d\d:\d\d", first)


def test_another_weight_gives_other_bytes(tmp_path: Path) -> None:
    assert source(tutorial_like(tmp_path / "a.tflite", 1)) != source(tutorial_like(tmp_path / "b.tflite", 2))


def test_every_symbol_carries_the_apps_name(tmp_path: Path) -> None:
    """Two models can share an image: nothing outside a name of theirs is defined."""
    text = source(tutorial_like(tmp_path / "model.tflite", 1))
    defined = re.findall(
        r"^(?:static )?(?:const |_Alignas\(\d+\) )*\w+ \*?(\w+)(?:\[|\(| =)", text, re.MULTILINE
    )
    assert len(defined) > 20
    assert all(name.startswith("lock_") for name in defined)


def test_run_is_one_call_a_layer(tmp_path: Path) -> None:
    text = source(tutorial_like(tmp_path / "model.tflite", 1))
    body = text[text.index("static NOIPA int lock_run") :]
    calls = re.findall(r"^    (\w+)\(&lock_(\w+), (.*)\);$", body, re.MULTILINE)
    assert [call[1] for call in calls] == [
        "conv1", "conv2", "table1", "conv3", "conv4", "dense1", "dense2", "softmax1"
    ]  # fmt: skip
    assert calls[0][2].startswith("input, ")
    assert calls[-1][2].endswith(", output")
    for shape in ("15 x 20 x 1 -> 14 x 19 x 16", "1408 -> 16", "16 -> 4", "-> 4, scale 0.00390625"):
        assert shape in body


class Twice:
    """The same dense layer twice, and the same sum with constants twice, from tensors of their own."""

    def build(self) -> Builder:
        random = np.random.default_rng(6)
        weights = random.integers(-127, 128, (24, 24), dtype=np.int8)
        bias, held = (
            random.integers(-90, 90, 24, dtype=np.int32),
            random.integers(-128, 128, 24, dtype=np.int8),
        )
        model = Builder()
        first = last = model.tensor((1, 24), "int8", 0.1, 3)
        for _ in range(2):
            made = model.tensor((1, 24), "int8", 0.1, 3)
            operands = [last, model.constant(weights, 0.02), model.constant(bias)]
            model.operator("FULLY_CONNECTED", operands, [made], {"fusedActivationFunction": 0})
            last = model.tensor((1, 24), "int8", 0.1, 3)
            model.operator("ADD", [made, model.constant(held, 0.05)], [last], {"fusedActivationFunction": 0})
        return model.ends([first], [last])


def test_equal_constants_are_there_once(tmp_path: Path) -> None:
    """An unrolled recurrent layer has the same weights at every step."""
    path = tmp_path / "twice.tflite"
    path.write_bytes(Twice().build().bytes())
    text = source(path)
    arrays = re.findall(r"^static const \w+ lock_(\w+)\[\]", text, re.MULTILINE)
    assert sorted(arrays) == ["constant5", "dense1_channels", "dense1_weights"]
    structs = text[text.index("lock_dense2 = {") :]
    assert ".weights = lock_dense1_weights" in structs
    assert len(re.findall(r"^    add_once\(&lock_add\d, .*lock_constant5, ", text, re.MULTILINE)) == 2
    check([Twice()])


@pytest.mark.parametrize("scratch", [0, 5000, 20000])
def test_the_arena_holds_the_larger(tmp_path: Path, scratch: int) -> None:
    path = tutorial_like(tmp_path / "model.tflite", 1)
    text, arena = source(path, scratch=scratch), model_plan(load_graph(path)).arena
    assert 5000 < arena < 8000
    found = re.search(r"arena_t lock_arena\[ARENA_BLOCKS\((\d+)\)\]", text)
    assert found is not None
    assert int(found.group(1)) == max(scratch, arena)


@pytest.mark.parametrize("kernels", ["small", "fast"])
@pytest.mark.parametrize("compiler", ["gcc", "clang", "arm-none-eabi-gcc"])
@pytest.mark.parametrize("level", ["-O0", "-O2", "-Os"])
def test_no_warnings(tmp_path: Path, kernels: str, compiler: str, level: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    for name, path in (
        ("lock", tutorial_like(tmp_path / "model.tflite", 1)),
        ("dense", dense_only(tmp_path / "dense.tflite", 1)),
    ):
        graph = load_graph(path)
        (tmp_path / f"{name}_model.c").write_text(source(path, kernels=kernels, name=name))
        header = render("app.h.in", name=name, pipeline=None, graph=graph)
        (tmp_path / f"{name}.h").write_text(header)
        target = CORTEX_M4 if compiler.startswith("arm") else ()
        command = [compiler, *target, *WARNINGS, level, f"-I{FIRMWARE}", f"-I{tmp_path}", "-c"]
        result = subprocess.run(
            [*command, f"{name}_model.c", "-o", f"{name}.o"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        assert not result.stderr


def test_a_kernels_portable_version_serves_any_cortex_m(tmp_path: Path) -> None:
    """Cores without the DSP extension compile the portable C."""
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    path = tutorial_like(tmp_path / "model.tflite", 1)
    graph = load_graph(path)
    (tmp_path / "lock_model.c").write_text(source(path))
    (tmp_path / "lock.h").write_text(render("app.h.in", name="lock", pipeline=None, graph=graph))
    for core in ("cortex-m0", "cortex-m3", "cortex-m33"):
        command = [
            "arm-none-eabi-gcc",
            f"-mcpu={core}",
            "-mthumb",
            *WARNINGS,
            "-O2",
            f"-I{FIRMWARE}",
            f"-I{tmp_path}",
        ]
        result = subprocess.run(
            [*command, "-c", "lock_model.c", "-o", "lock.o"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr


def test_packed_constants_say_whose_they_are(tmp_path: Path) -> None:
    text = source(tutorial_like(tmp_path / "model.tflite", 1))
    for name, first, second in (
        ("conv2", "channels 0, 1", "channels 2, 3"),
        ("dense1", "inputs 0 .. 471 of outputs 0 .. 3", "inputs 0 .. 471 of outputs 4 .. 7"),
    ):
        start = text.index(f"lock_{name}_weights[]")
        end = text.index("};", start)
        assert 0 < text.find(f"/* {first} */", start, end) < text.find(f"/* {second} */", start, end), name


def test_each_part_of_a_concatenation_tells_its_own_shape(tmp_path: Path) -> None:
    model = Builder()
    x, wide, y = (model.tensor((1, size), "int8", 0.1, 0) for size in (3, 5, 8))
    paddings = model.constant(np.array([[0, 0], [1, 1]], np.int32))
    model.operator("PAD", [x, paddings], [wide])
    model.operator("CONCATENATION", [x, wide], [y], {"axis": 1})
    text = source(model.write(tmp_path / "model.tflite", [x], [y]))
    assert re.findall(r"CONCATENATION: (\d+) -> 8", text) == ["3", "5"]
