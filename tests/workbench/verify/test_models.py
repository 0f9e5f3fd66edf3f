# SPDX-License-Identifier: Apache-2.0
"""Real models made elsewhere: every output value is the reference's."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.passes.legalise import load_graph
from tests.support.models_c import ModelsC, model_plan
from tests.support.shared import shared
from tests.support.tally import tally_case
from workbench.verify.reference import ReferenceInterpreter

# name -> bytes of arena that TensorFlow Lite Micro needs for it, where that was measured
MODELS = {
    "mlperf_tiny/kws_ref_model": 22820,
    "mlperf_tiny/ad01_int8": 2580,
    "mlperf_tiny/pretrainedResnet_quant": 54996,
    "tflm/micro_speech_quantized": 6836,
    "tflm/hello_world_int8": 772,
    "microwakeword/v2_okay_nabu": None,
    "microwakeword/v1_okay_nabu": None,
    "arm_kws/ds_cnn_s_quantized": None,
    "arm_kws/dnn_s_quantized": None,
}


def model(name: str) -> Path:
    return shared(f"models/{name}.tflite")


def inputs_for(path: Path, count: int, seed: int) -> NDArray[np.generic]:
    """Random inputs of the model's type."""
    tensor = load_graph(path).input
    random = np.random.default_rng(seed)
    if tensor.dtype == "float32":
        return (random.normal(size=(count, *tensor.shape[1:])) * 60).astype(np.float32)
    return random.integers(-128, 128, (count, *tensor.shape[1:]), dtype=np.int8)


def same(a: NDArray[np.generic], b: NDArray[np.generic]) -> bool:
    """Bit for bit."""
    return a.dtype == b.dtype and a.tobytes() == b.tobytes()


@lru_cache(maxsize=1)
def every() -> ModelsC:
    """All models in one program."""
    return ModelsC([model(name) for name in MODELS], flags=("-O2",))


def test_recorded_outputs() -> None:
    """Eight inputs each with the outputs recorded beside the models; the streaming ones run on."""
    rows, wanted = [], []
    for name, graph in zip(MODELS, every().graphs, strict=True):
        with np.load(shared(f"models/golden/{name.replace('/', '__')}.npz")) as golden:
            rows.append(golden["in0"].reshape(8, *graph.input.shape[1:]))
            wanted.append(golden["out0"].reshape(8, *graph.output.shape[1:]))
    for name, found, expected in zip(MODELS, every().run(rows, sequence=True), wanted, strict=True):
        assert same(found, expected), name


def test_random_inputs() -> None:
    """Against the interpreter; states kept from row to row."""
    paths = [model(name) for name in MODELS]
    rows = [inputs_for(path, 40, index) for index, path in enumerate(paths)]
    found = every().run(rows, sequence=True)
    with ReferenceInterpreter(paths[0]) as reference:
        for path, inputs, outputs in zip(paths, rows, found, strict=True):
            reference.load(path)
            assert same(outputs, reference.run(inputs, sequence=True)), path
            tally_case(path, outputs.size, "pc")


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(kernels: str) -> None:
    names = [
        "mlperf_tiny/kws_ref_model",
        "tflm/micro_speech_quantized",
        "microwakeword/v2_okay_nabu",
        "arm_kws/dnn_s_quantized",
        "mlperf_tiny/ad01_int8",
    ]
    paths = [model(name) for name in names]
    rows = [inputs_for(path, 2, index) for index, path in enumerate(paths)]
    found = ModelsC(paths, kernels=kernels, target="qemu", flags=("-O2",)).run(rows, sequence=True)
    with ReferenceInterpreter(paths[0]) as reference:
        for path, inputs, outputs in zip(paths, rows, found, strict=True):
            reference.load(path)
            assert same(outputs, reference.run(inputs, sequence=True)), path
            tally_case(path, outputs.size, "qemu")


@pytest.mark.parametrize("name", [name for name, arena in MODELS.items() if arena])
def test_the_arena_is_no_larger_than_that_of_tensorflow_lite_micro(name: str) -> None:
    planned = model_plan(load_graph(model(name)))
    assert planned.arena <= (MODELS[name] or 0)
    assert planned.arena <= planned.bound * 1.02
