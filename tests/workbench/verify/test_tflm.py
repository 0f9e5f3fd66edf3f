# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite Micro itself beside Earshot's own engine, in the emulator: the same bits.

Needs a checkout whose library is built for Cortex-M4 with FPU (docs/engines.md), named by EARSHOT_TFLM;
without one, tests/toolbox/test_tflm_image.py proves Earshot's side of it with a toy.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from flatbuffers import flexbuffers

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.support.arena import with_arena
from tests.support.shared import shared
from tests.support.tflm import need_tflm
from tests.support.toy_tflm import need_cxx
from toolbox.options import EXAMPLE
from workbench.audio.recording import read_audio
from workbench.audio.synthesize import demo_recordings
from workbench.build import build
from workbench.host.engine import open_engine, run_all
from workbench.host.model_app import model_app
from workbench.profiling.profile import profile
from workbench.protocol.lines import Error
from workbench.targets import open_app, open_target
from workbench.verify.model import Wanted, verify_model
from workbench.verify.outputs import float_probes, probes

pytestmark = pytest.mark.xdist_group("tflm")

MODELS = (
    "arm_kws/dnn_s_quantized",
    "arm_kws/ds_cnn_s_quantized",
    "microwakeword/v1_okay_nabu",
    "microwakeword/v2_okay_nabu",
    "mlperf_tiny/ad01_int8",
    "mlperf_tiny/kws_ref_model",
    "mlperf_tiny/pretrainedResnet_quant",
    "tflm/hello_world_int8",
    "tflm/micro_speech_quantized",
)
RECORDINGS = ("knocking__fs81001a.flac", "keyboard_typing__fs120333a.flac")


@pytest.fixture(scope="module", autouse=True)
def tree() -> Path:
    if not os.environ.get("EARSHOT_TFLM"):
        pytest.skip(
            "EARSHOT_TFLM names no checkout of TensorFlow Lite Micro with its library built for Cortex-M4"
        )
    need_cxx()
    return Path(os.environ["EARSHOT_TFLM"])


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with TFLM's bits in both engines."""
    app = tmp_path_factory.mktemp("app") / "lock"
    shutil.copytree(EXAMPLE, app)
    text = (app / "pipeline.toml").read_text()
    (app / "pipeline.toml").write_text(text.replace("[classifier]", '[classifier]\nreference = "tflm"'))
    return app


def same_lines(app: Path, sound: np.ndarray) -> int:
    """How many lines; asserts that all are the same, stages too."""
    reported = {}
    for engine in ("aot", "tflm"):
        with open_app(app, "qemu", engine=engine) as device:
            assert device.boot.engine == engine
            device.command("stages on")
            reported[engine] = list(device.replay(sound))
    assert reported["aot"] == reported["tflm"]
    return sum('"ModelNumber"' in line for line in reported["aot"])


@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings_are_decided_alike(app: Path, name: str) -> None:
    sound = read_audio(shared(f"audio/smart_lock/wav_flac/{name}"), 16000)[: 16000 * 4]
    assert same_lines(app, sound) > 10


def test_sounds_of_a_seed_are_decided_alike(app: Path, tmp_path: Path) -> None:
    recordings = demo_recordings(tmp_path)
    sound = np.concatenate([read_audio(file, 16000)[: 16000 * 2] for file in recordings[:3]])
    assert same_lines(app, sound) > 10


@pytest.mark.parametrize("name", MODELS)
def test_models_of_others(name: str) -> None:
    """TFLM in the emulator = aot on this computer = the interpreter of TFLM's Python package."""
    need_tflm()
    app = model_app(shared(f"models/{name}.tflite"), reference=Reference.TFLM)
    graph = app.graph
    samples = 2 if graph.input.nbytes > 2000 else 12
    real = graph.input.dtype == "float32"
    inputs = (
        float_probes(graph, graph.inputs[0], samples, 5)[0] if real else probes(graph.input, samples, 5)[0]
    )
    streams = bool(graph.variables)
    with open_engine(app, "pc", "aot") as ours, open_engine(app, "qemu", "tflm") as theirs:
        expected = run_all(ours, graph, inputs, sequence=streams)
        assert np.array_equal(run_all(theirs, graph, inputs, sequence=streams), expected)
    wanted = Wanted("qemu", "tflm", Reference.TFLM, samples, 5, streams, layers=False)
    assert verify_model(app, wanted).differing == 0


@dataclass(frozen=True)
class Beyond:
    """A model that aot refuses: int8 in and out, between them an operator of its own."""

    op: str
    more: tuple[int, ...] = ()  # its second operand, a constant of int32
    inputs: int = 1  # times the input is an operand

    def write(self, path: Path) -> Path:
        """The file: 24 values."""
        model = Builder()
        x, y = (model.tensor((1, 4, 6), "int8", 0.1, 3) for _ in range(2))
        constants = [model.constant(np.array(self.more, np.int32).reshape(()))] if self.more else []
        model.operator(self.op, [x] * self.inputs + constants, [y], {})
        return model.write(path, [x], [y])


@pytest.mark.parametrize("model", [Beyond("CUMSUM", (1,)), Beyond("ADD_N", inputs=3), Beyond("ZEROS_LIKE")])
def test_what_aot_refuses(model: Beyond, tmp_path: Path) -> None:
    """The image has the bits of the interpreter of TFLM's Python package."""
    need_tflm()
    file = model.write(tmp_path / "model.tflite")
    with pytest.raises(UserError, match=f"the operator {model.op} is not supported"):
        load_graph(file)
    app = model_app(file, reference=Reference.TFLM, engine="tflm")
    found = verify_model(app, Wanted("qemu", "tflm", Reference.TFLM, 12, 5, sequence=False, layers=False))
    assert found.differing == 0
    assert found.results["output"].compared > 500


def test_weights_of_four_bits(tmp_path: Path) -> None:
    """Which aot refuses, naming this engine."""
    need_tflm()
    model = Builder()
    random = np.random.default_rng(2)
    x, y = model.tensor((1, 40), "int8", 0.1, 3), model.tensor((1, 10), "int8", 0.4, -5)
    packed = model.tensor((10, 40), "int4", 0.05, data=random.integers(0, 256, 200).astype(np.uint8))
    bias = model.constant(random.integers(-900, 900, 10).astype(np.int32), 0.005)
    model.operator("FULLY_CONNECTED", [x, packed, bias], [y], {})
    file = model.write(tmp_path / "model.tflite", [x], [y])
    with pytest.raises(UserError, match="its weights are int4"):
        load_graph(file)
    app = model_app(file, reference=Reference.TFLM, engine="tflm")
    found = verify_model(app, Wanted("qemu", "tflm", Reference.TFLM, 12, 5, sequence=False, layers=False))
    assert found.differing == 0
    assert found.results["output"].distinct > 100


@pytest.mark.parametrize("sequence", [False, True])
def test_a_custom_operator_with_a_state(tmp_path: Path, sequence: bool) -> None:
    """SignalDelay gives what it was given three values ago: of a fresh state that is 0."""
    need_tflm()
    model = Builder()
    x, y = (model.tensor((1, 8), "int16", 0.1) for _ in range(2))
    model.operator("CUSTOM SignalDelay", [x], [y])
    model.graph.operators[0].customOptions = np.frombuffer(flexbuffers.Dumps({"delay_length": 3}), np.uint8)
    file = model.write(tmp_path / "model.tflite", [x], [y])
    with pytest.raises(UserError, match="the custom operator SignalDelay is unknown"):
        load_graph(file)
    app = model_app(file, reference=Reference.TFLM, engine="tflm")
    found = verify_model(app, Wanted("qemu", "tflm", Reference.TFLM, 12, 5, sequence=sequence, layers=False))
    assert found.differing == 0
    assert found.results["output"].distinct > 50
    rows = np.arange(1, 25, dtype=np.int16).reshape(3, 1, 8)
    with open_engine(app, "qemu", "tflm") as engine:
        outputs = run_all(engine, app.graph, rows, sequence=sequence)
    kept = [rows[row - 1, 0, 5:] if sequence and row else np.zeros(3, np.int16) for row in range(3)]
    expected = [np.concatenate([first, row[0, :5]]) for first, row in zip(kept, rows, strict=True)]
    assert np.array_equal(outputs.reshape(3, 8), np.array(expected))


def test_a_loop_over_other_graphs(tmp_path: Path) -> None:
    """WHILE a number is below 10, add 1.5: floats, as exact there as in the interpreter."""
    need_tflm()
    model = Builder()
    x, y = (model.tensor((1,), "float32") for _ in range(2))
    model.operator("WHILE", [x], [y], {"condSubgraphIndex": 1, "bodySubgraphIndex": 2})
    main = model.ends([x], [y]).graph
    for name, op, constant, dtype in ((b"cond", "LESS", 10.0, "bool"), (b"body", "ADD", 1.5, "float32")):
        model.graph = copy.deepcopy(main)
        model.graph.name, model.graph.tensors, model.graph.operators = name, [], []
        model.model.subgraphs.append(model.graph)
        before, after = model.tensor((1,), "float32"), model.tensor((1,), dtype)
        model.operator(op, [before, model.constant(np.array([constant], np.float32))], [after], {})
        model.ends([before], [after])
    model.graph = main
    file = model.write(tmp_path / "model.tflite", [x], [y])
    app = model_app(file, reference=Reference.TFLM, engine="tflm")
    rows = np.array([[-3.0], [9.0], [9.5], [10.0], [55.25]], np.float32)
    with open_engine(app, "qemu", "tflm") as engine:
        outputs = run_all(engine, app.graph, rows, sequence=False)
    assert outputs.reshape(-1).tolist() == [10.5, 10.5, 11.0, 10.0, 55.25]


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    """Of sizes that leave gaps between them, and with operators that aot refuses."""
    need_tflm()
    model = Builder()
    x, other = model.tensor((1, 5), "int8", 0.1, 3), model.tensor((1, 5), "int8", 0.2, -7)
    bias = model.tensor((1, 3), "int8", 0.1, 0)
    total, summed = (model.tensor((1, 5), "int8", 0.1, 3) for _ in range(2))
    doubled = model.tensor((1, 3), "int8", 0.3, 9)
    model.operator("ADD", [x, other], [total], {"fusedActivationFunction": 0})
    model.operator("CUMSUM", [total, model.constant(np.array(1, np.int32).reshape(()))], [summed], {})
    model.operator("ADD", [bias, bias], [doubled], {"fusedActivationFunction": 0})
    file = model.write(tmp_path / "model.tflite", [x, bias, other], [doubled, summed])
    app = model_app(file, reference=Reference.TFLM, engine="tflm")
    found = verify_model(app, Wanted("qemu", "tflm", Reference.TFLM, 12, 5, sequence=False, layers=False))
    assert len(found.results) == 2
    assert [result.differing for result in found.results.values()] == [0, 0]
    assert all(result.compared > 60 and result.distinct > 15 for result in found.results.values())


def test_the_arena_fits_and_one_step_less_does_not(app: Path, tmp_path: Path) -> None:
    built = build("mps2_an386", app, engine="tflm")
    arena = json.loads((built.directory / "arena.json").read_text())["arena"]
    inputs = np.zeros(300, np.int8).tobytes()
    with open_target("qemu", with_arena(built.image, tmp_path / "same", "lock", arena, arena)) as device:
        assert len(device.tensor(inputs)) == 4
    with open_target("qemu", with_arena(built.image, tmp_path / "less", "lock", arena, arena - 16)) as device:
        answer = device.command("reset")
        assert isinstance(answer, Error)
        assert (answer.what, answer.detail) == ("model", 3)


def test_instructions_side_by_side(app: Path) -> None:
    ours = profile(app, engine="aot")
    theirs = profile(app, engine="tflm")
    assert theirs.engine == "tflm"
    assert sum(layer.instructions for layer in theirs.layers) == theirs.decisions.full
    convolutions = next(layer for layer in theirs.layers if layer.op == "CONV_2D")
    assert convolutions.instructions > theirs.decisions.full // 2
    assert theirs.mac == ours.mac
    assert theirs.decisions.full > 3 * ours.decisions.full
    assert theirs.decisions.incremental is None
    assert theirs.flash.model >= (app / "model.tflite").stat().st_size
    assert [stage.instructions for stage in theirs.stages] == [stage.instructions for stage in ours.stages]
