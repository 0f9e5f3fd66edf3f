# SPDX-License-Identifier: Apache-2.0
"""infer and verify: right where the C is right, red where one bit differs, one message for bad input."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.spec_file import load_spec
from codegen.common.paths import ROOT
from codegen.common.reference import Reference
from codegen.compile import App
from codegen.passes.legalise import load_graph
from tests.codegen.ops.test_mean import side_by_side
from tests.codegen.ops.test_variable import Stream
from tests.models.builder import Builder
from tests.models.networks import beside_halves, dense_only, tutorial_like
from tests.support.cli import earshot, refused
from tests.support.shared import shared
from tests.support.tflm import need_tflm
from tests.support.tools import need_target
from tests.support.tutorial import tutorial_app
from workbench.build import build
from workbench.cli import main
from workbench.host import engine as inference
from workbench.host.model_app import model_app
from workbench.verify.reference import ReferenceInterpreter


def test_a_right_model_has_no_differences(tmp_path: Path) -> None:
    model = tutorial_like(tmp_path / "verify_tutorial.tflite", 5)
    done = earshot("verify", model, "--samples", "40", "--json")
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    assert (reported["differing"], reported["largest"]) == (0, 0)
    output, logits = reported["tensors"]
    assert (output["tensor"], logits["tensor"]) == ("output", "input of the last SOFTMAX")
    assert reported["compared"] == output["compared"] + logits["compared"]
    assert output["compared"] == 4 * output["inputs"] >= 4 * 40
    # The softmax is saturated and gives a few values only: this is why its input is compared too.
    assert reported["distinct"] == logits["distinct"] >= 32


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_the_example_has_no_differences(target: str) -> None:
    need_target(target)
    done = earshot("verify", "examples/smart_lock/model.tflite", "--target", target, "--samples", "60")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line, what in zip(lines, ("output", "input of the last SOFTMAX"), strict=True):
        assert line.startswith(f"examples/smart_lock/model.tflite on {target} against litert, {what}: ")
        assert " compared, 0 differing (" in line


def test_the_model_of_an_app_is_verified_with_its_kernels(tmp_path: Path) -> None:
    app = tutorial_app(tmp_path / "verify_fast", classifier='kernels = "fast"')
    done = earshot("verify", "--app", app, "--samples", "10", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["differing"] == 0
    generated = ROOT / "build/pc/verify_fast/generated/verify_fast_model.c"
    assert "nn/fast.h" in generated.read_text()


def test_each_reference_has_its_own_bits(tmp_path: Path) -> None:
    """A layer where the two differ: the C made for each equals it, and not the other."""
    need_tflm()
    model = beside_halves(tmp_path / "halves.tflite")
    for reference in ("litert", "tflm"):
        done = earshot("verify", model, "--reference", reference, "--samples", "500", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        reported = json.loads(done.stdout)
        assert (reported["reference"], reported["differing"]) == (reference, 0)
        assert reported["distinct"] > 100
    inputs = np.random.default_rng(1).integers(-128, 128, (2000, 2), dtype=np.int8)
    np.save(tmp_path / "in.npy", inputs)
    with ReferenceInterpreter(model) as litert, ReferenceInterpreter(model, Reference.TFLM) as tflm:
        wanted = [litert.run(inputs), tflm.run(inputs)]
    assert not np.array_equal(wanted[0], wanted[1])
    for reference, outputs in zip(("litert", "tflm"), wanted, strict=True):
        out = tmp_path / f"{reference}.npy"
        done = earshot("infer", model, "--reference", reference, "--inputs", tmp_path / "in.npy", "-o", out)
        assert done.returncode == 0, done.stderr
        assert np.array_equal(np.load(out), outputs)


def test_an_apps_reference_is_its_pipelines(tmp_path: Path) -> None:
    need_tflm()
    app = tutorial_app(tmp_path / "verify_tflm", classifier='reference = "tflm"')
    done = earshot("verify", "--app", app, "--samples", "10", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reference"] == "tflm"
    generated = ROOT / "build/pc/verify_tflm/generated/verify_tflm_model.c"
    assert "Its bits are those of TensorFlow Lite Micro." in generated.read_text()
    reported = refused("verify", "--app", app, "--reference", "litert")
    assert 'reference = "litert" under [classifier]' in reported


def test_every_layer_of_a_mean_over_eight_values_side_by_side(tmp_path: Path) -> None:
    """GCC 12 dropped the call in the library that verify loads; test_mean.py has other counts."""
    model = tmp_path / "verify_mean.tflite"
    model.write_bytes(side_by_side(8).build().bytes())
    done = earshot("verify", model, "--samples", "10", "--layers", "--json")
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    assert [layer["op"] for layer in reported["layers"]] == ["LEAKY_RELU", "MEAN"]  # the last is the output
    assert reported["differing"] == sum(layer["differing"] for layer in reported["layers"]) == 0


def test_every_layer_is_compared(tmp_path: Path) -> None:
    model = tutorial_like(tmp_path / "verify_layers.tflite", 5)
    done = earshot("verify", model, "--samples", "20", "--layers", "--json")
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    graph = load_graph(model)
    nodes = {node.index: node for node in graph.nodes}
    assert [layer["index"] for layer in reported["layers"]] == sorted(
        {layer["index"] for layer in reported["layers"]}
    )
    for layer in reported["layers"]:
        assert nodes[layer["index"]].op == layer["op"]
        made = graph.tensors[nodes[layer["index"]].outputs[0]]
        assert layer["compared"] == made.size * layer["inputs"]
        assert (layer["differing"], layer["distinct"] > 8) == (0, True), layer
    assert [layer["op"] for layer in reported["layers"]].count("CONV_2D") == 4
    assert reported["first_layer"] is None


def test_layers_of_a_stream_and_on_qemu(tmp_path: Path) -> None:
    """State goes on; the Cortex-M4's layers are read back."""
    need_target("qemu")
    path = tmp_path / "layers_stream.tflite"
    path.write_bytes(Stream(1, (3,), 4, True, False, 1).build().bytes())
    done = earshot("verify", path, "--sequence", "--layers", "--samples", "9", "--target", "qemu", "--json")
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    assert reported["layers"]
    assert all(layer["compared"] > 0 for layer in reported["layers"])


@pytest.mark.parametrize("which", [1, 3])
def test_a_planted_fault_names_its_layer(which: int, tmp_path: Path) -> None:
    """One value that one convolution of the generated C makes is changed; verify names that layer."""
    model = tutorial_like(tmp_path / f"fault{which}.tflite", 5)
    convolutions = [node.index for node in load_graph(model).nodes if node.op == "CONV_2D"]
    plain = model_app(model).spec
    apps = [plain, model_app(plain.classifier.model, layer_outputs=True).spec]
    try:
        for app in apps:
            build("pc", app)
            source = next((ROOT / "build/pc" / app.file.parent.name / "generated").glob("*_model.c"))
            source.write_text(spoilt(source.read_text(), f"conv{which}"))
            later = source.stat().st_mtime + 10  # SCons takes a file of the same second for the same
            os.utime(source, (later, later))
        done = earshot("verify", model, "--samples", "20", "--json")
        assert done.returncode == 1, done.stdout + done.stderr
        reported = json.loads(done.stdout)
        assert reported["tensors"][0]["differing"] > 0
        first = reported["first_layer"]
        assert (first["index"], first["op"]) == (convolutions[which - 1], "CONV_2D")
        if which == 1:
            done = earshot("verify", model, "--samples", "20")
            assert f'the first layer that differs is {first["index"]} CONV_2D "' in done.stdout
    finally:
        for app in apps:
            shutil.rmtree(ROOT / "build/pc" / app.file.parent.name, ignore_errors=True)


def spoilt(source: str, layer: str) -> str:
    """The C with one value of a layer's output changed, right after its call."""
    found = re.search(rf"^ *\w+\(&\w+_{layer}, [^,]+, ([^,)]+)[^;]*\);\n", source, flags=re.MULTILINE)
    assert found is not None, layer
    fault = f"    ((int8_t *)({found[1]}))[40] ^= 0x5A;\n"
    return source[: found.end()] + fault + source[found.end() :]


def test_a_folder_of_models(tmp_path: Path) -> None:
    dense_only(tmp_path / "a_dense.tflite", 1)
    (tmp_path / "in").mkdir()
    dense_only(tmp_path / "in/b_dense.tflite", 2)
    done = earshot("verify", tmp_path, "--samples", "5")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [Path(line.split(" on ")[0]).name for line in lines[:-1:2]] == ["a_dense.tflite", "b_dense.tflite"]
    assert re.fullmatch(r"2 models on pc: \d+ values compared, 0 differing", lines[-1])
    reported = json.loads(earshot("verify", tmp_path, "--samples", "5", "--json").stdout)
    assert reported["compared"] == sum(each["compared"] for each in reported["models"]) > 0
    assert "--app examples/smart_lock" in refused("verify", "examples/smart_lock")
    (tmp_path / "none").mkdir()
    assert "holds some" in refused("verify", tmp_path / "none")


class OneBit:
    """An engine that differs from the real one in the lowest bit of one value."""

    def __init__(self, engine: inference.Engine, call: int) -> None:
        self._engine = engine
        self._left = call

    def reset(self) -> None:
        self._engine.reset()

    def run(self, tensor: NDArray[Any]) -> NDArray[np.uint8]:
        output = self._engine.run(tensor).copy()
        if self._left == 0:
            output[-1] ^= 1
        self._left -= 1
        return output


def test_one_bit_in_one_value_is_found_and_named(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = inference.open_engine

    @contextmanager
    def broken(app: App, target: str, engine: str) -> Iterator[inference.Engine]:
        with real(app, target, engine) as whole:
            yield OneBit(whole, 20)

    monkeypatch.setattr(inference, "open_engine", broken)
    assert main(["verify", str(model), "--samples", "5"]) == 1
    reported = capsys.readouterr().out
    assert "1 differing, by 1 at most; the first is value [2] of input 20 (random 2): " in reported
    assert main(["verify", str(model), "--samples", "5", "--json"]) == 1
    seen = json.loads(capsys.readouterr().out)
    assert (seen["differing"], seen["largest"]) == (2, 1)  # of the output, and of the softmax's input
    first = seen["tensors"][0]["first"]
    assert (first["input"], first["name"], first["output"]) == (20, "random 2", [2])
    assert abs(first["expected"] - first["found"]) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [("arm_kws/dnn_s_quantized", []), ("microwakeword/v2_okay_nabu", ["--sequence"])],
)
def test_float_ends_and_streams_are_verified(name: str, words: list[str]) -> None:
    done = earshot("verify", shared(f"models/{name}.tflite"), "--samples", "20", "--json", *words)
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    assert reported["differing"] == 0
    assert reported["compared"] >= 20


def test_a_bare_model_becomes_an_app_once(model: Path) -> None:
    made = model_app(model)
    app = made.spec.file.parent
    assert app.parent == ROOT / "build" / "models"
    assert app.name.startswith("dense_only-")
    spec = load_spec(app)
    assert spec == made.spec
    assert spec.pipeline is None
    assert spec.classifier.model.read_bytes() == model.read_bytes()
    before = {path: path.stat().st_mtime_ns for path in app.iterdir()}
    assert model_app(model).spec == made.spec
    assert {path: path.stat().st_mtime_ns for path in app.iterdir()} == before
    fast = model_app(model, "fast", Reference.TFLM, layer_outputs=True).spec
    assert fast.file != made.spec.file
    assert load_spec(fast.file) == fast


# What ends in one message


def test_more_samples_than_memory_holds(model: Path) -> None:
    assert "fits into memory" in refused("verify", model, "--samples", str(10**12))


def test_a_plan_that_is_no_svg(tmp_path: Path, model: Path) -> None:
    assert "is no .svg file" in refused("plan", model, "-o", tmp_path / "plan.png")
    assert not (tmp_path / "plan.png").exists()


def test_models_that_cannot_be_built_end_in_one_message(tmp_path: Path, model: Path) -> None:
    cut, text, empty = (tmp_path / name for name in ("cut.tflite", "text.tflite", "empty.tflite"))
    cut.write_bytes(model.read_bytes()[:400])
    text.write_text("not a model")
    folder = tmp_path / "folder"
    folder.mkdir()
    empty.touch()
    for path, words in (
        (tmp_path / "none.tflite", "none.tflite: there is no such file"),
        (cut, "cut.tflite"),
        (text, "text.tflite"),
        (empty, "empty.tflite"),
        (folder, "is a folder; a .tflite file is wanted"),
    ):
        assert words in refused("verify", path)


def test_models_that_do_not_fit_end_in_one_message(tmp_path: Path) -> None:
    """Float, open shapes and operators unknown here: the reader's own tests have more of each."""

    def built(name: str, op: str, shape: tuple[int, ...], dtype: str) -> Path:
        model = Builder()
        scale = 0.1 if dtype == "int8" else None
        ends = [model.tensor((1, 4), dtype, scale, signature=shape, name=f"{name}/{end}") for end in "xy"]
        model.operator(op, ends[:1], ends[1:], {"beta": 1.0} if op == "SOFTMAX" else None)
        return model.write(tmp_path / f"{name}.tflite", ends[:1], ends[1:])

    for path, words in (
        (built("real", "SOFTMAX", (1, 4), "float32"), "computes in float"),
        (built("open", "SOFTMAX", (1, -1), "int8"), "[1, -1] is open"),
        (
            built("exotic", "SQUARE", (1, 4), "int8"),
            "layer 0 (SQUARE exotic/y): the operator SQUARE is not supported",
        ),
    ):
        reported = refused("verify", path)
        assert f"{path}" in reported
        assert words in reported


def test_usage_is_reported(model: Path, tmp_path: Path) -> None:
    assert "give a MODEL.tflite, or --app DIR" in refused("verify")
    assert "give a MODEL.tflite, or --app DIR" in refused("verify", model, "--app", tmp_path)
    assert "the engine tflm runs on Cortex-M" in refused(
        "verify", model, "--engine", "tflm", "--target", "pc"
    )
    assert "--samples -1 is out of range" in refused("verify", model, "--samples", "-1")
    assert "invalid choice: 'mars'" in refused("verify", model, "--target", "mars")
    inputs = tmp_path / "in.npy"
    assert f"{inputs}: there is no such file" in refused("infer", model, "--inputs", inputs, "-o", inputs)
    np.save(inputs, np.zeros((1, 10), np.int8))
    reported = refused("infer", model, "--inputs", inputs, "-o", tmp_path / "no" / "out.npy")
    assert "cannot be written: No such file or directory" in reported
