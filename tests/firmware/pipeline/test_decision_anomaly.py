# SPDX-License-Identifier: Apache-2.0
"""[decision] kind = "anomaly": the mean squared error between an autoencoder's input and its output."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.spec_file import load_spec
from codegen.app.tables.decision import ANOMALY_NEVER
from codegen.passes.legalise import load_graph
from tests.models.networks import Network
from tests.support.images import Sources, build_image
from tests.support.pipeline_c import SOURCES
from tests.support.shared import shared
from tests.support.tools import need_tool
from tests.support.tutorial import noises, tutorial_library
from workbench.host.features import app_score
from workbench.host.host_library import HostPipeline, HostStep
from workbench.protocol.lines import Decision, Setting, parse_line
from workbench.targets import open_target
from workbench.verify.reference import ReferenceInterpreter

FRAMES, CEPSTRA = 6, 8
TOML = """\
[gate]
threshold = 200
backoff = 3

[mfcc]
cepstra = {cepstra}

[cascade]
frames = {frames}

[classifier]
model = "model.tflite"
layout = "{layout}"

[decision]
kind = "anomaly"
labels = ["anomaly"]
threshold = {threshold}
"""


def autoencoder(path: Path, *, conv: bool = False) -> None:
    """Gives back something else than what it is given, with other steps; conv: it slides."""
    net = Network(3, (1, FRAMES, CEPSTRA, 1), scale=0.8, zero_point=-100)
    if conv:
        net.conv(2, (3, 3))
    net.flatten(dynamic=False)
    net.dense(7, "relu")
    net.dense(FRAMES * CEPSTRA)
    net.save(path)


def app_in(
    folder: Path, threshold: float, *, layout: str = "frames_by_cepstra", more: str = "", conv: bool = False
) -> Path:
    folder.mkdir(parents=True)
    autoencoder(folder / "model.tflite", conv=conv)
    text = TOML.format(cepstra=CEPSTRA, frames=FRAMES, layout=layout, threshold=threshold)
    (folder / "pipeline.toml").write_text(text + more)
    return folder


def pipeline_of(app: Path, folder: Path) -> HostPipeline:
    folder.mkdir()
    pipeline = tutorial_library(app, folder).pipeline
    assert pipeline is not None
    return pipeline


def tensors(app: Path, steps: list[HostStep]) -> NDArray[np.int8]:
    """What each decision of an app with offset 0 gives the model, by the specification of quantisation: of
    the features alone."""
    spec = load_spec(app)
    input_ = load_graph(spec.classifier.model).input
    assert input_.quantization is not None
    assert spec.pipeline is not None
    frames = spec.pipeline.cascade.frames
    rows = []
    for number, step in enumerate(steps):
        if step.decided:
            picture = np.array([one.features for one in steps[number - frames + 1 : number + 1]], np.float64)
            picture -= spec.classifier.offset
            if spec.classifier.layout.value == "cepstra_by_frames":
                picture = picture.T
            real = picture.reshape(input_.shape) / input_.quantization.scale
            nearest = np.sign(real) * np.floor(np.abs(real) + 0.5) + input_.quantization.zero_point
            rows.append(np.clip(nearest, -128, 127).astype(np.int8)[0])
    return np.array(rows)


def errors(app: Path, inputs: NDArray[np.int8]) -> tuple[list[int], NDArray[np.float64]]:
    """The reference interpreter's: as docs/front_end.md writes the integers, and as NumPy has it in reals."""
    model = app / "model.tflite"
    graph = load_graph(model)
    ours, theirs = graph.input.quantization, graph.output.quantization
    assert ours is not None
    assert theirs is not None
    with ReferenceInterpreter(model) as reference:
        outputs = reference.run(inputs).reshape(len(inputs), -1)
    inputs = inputs.reshape(len(inputs), -1)
    reals = (inputs.astype(np.float64) - ours.zero_point) * ours.scale
    reals -= (outputs.astype(np.float64) - theirs.zero_point) * theirs.scale
    step = max(Fraction(ours.scale), Fraction(theirs.scale))
    a, b = (int(Fraction(one.scale) / step * 4096 + Fraction(1, 2)) for one in (ours, theirs))
    exact = []
    for x, y in zip(inputs.tolist(), outputs.tolist(), strict=True):
        total = sum(
            (a * (p - ours.zero_point) - b * (q - theirs.zero_point)) ** 2 for p, q in zip(x, y, strict=True)
        )
        exact.append(total // (len(x) << 19))
    return exact, np.asarray((reals**2).mean(axis=1))


@pytest.mark.parametrize(
    ("layout", "conv"),
    [("frames_by_cepstra", False), ("frames_by_cepstra", True), ("cepstra_by_frames", False)],
)
def test_every_error_is_that_of_the_reference(tmp_path: Path, layout: str, *, conv: bool) -> None:
    app = app_in(tmp_path / "door", 1e5, layout=layout, conv=conv)
    if layout == "cepstra_by_frames":  # the same values, transposed
        flat = Network(4, (1, FRAMES * CEPSTRA), scale=0.8, zero_point=-100)
        flat.dense(FRAMES * CEPSTRA)
        flat.save(app / "model.tflite")
    pipeline = pipeline_of(app, tmp_path / "code")
    steps = list(pipeline.steps(noises(12)))
    decided = [step for step in steps if step.decided]
    assert len(decided) > 100
    assert any(step.input is None for step in decided) == conv  # by the newest frame alone
    exact, reals = errors(app, tensors(app, steps))
    assert [step.score for step in decided] == exact
    score = app_score(load_spec(app))
    shown = np.array([score.value(step.score) for step in decided])
    assert np.allclose(shown, reals, rtol=2e-3)
    assert len(set(exact)) > 50


def test_the_threshold_is_a_mean_squared_error(tmp_path: Path) -> None:
    pipeline = pipeline_of(app_in(tmp_path / "door", 1e5), tmp_path / "code")
    steps = [step for step in pipeline.steps(noises(6)) if step.decided]
    assert {step.class_index for step in steps} == {0}
    middle = sorted(step.score for step in steps)[len(steps) // 2]
    score = app_score(load_spec(tmp_path / "door"))
    other = app_in(tmp_path / "window", round(score.value(middle), 6))
    found = [step for step in pipeline_of(other, tmp_path / "more").steps(noises(6)) if step.decided]
    assert [step.score for step in found] == [step.score for step in steps]
    limit = score.limit(Fraction(str(round(score.value(middle), 6))))
    assert abs(limit - middle) <= 1
    assert [step.class_index for step in found] == [int(step.score >= limit) for step in steps]
    assert {step.class_index for step in found} == {0, 1}


def told(exact: list[int], limit: int, count: int, suppress: int, votes: int) -> list[tuple[int, int]]:
    """docs/pipeline.md in integers, for decisions without a gap: class and score."""
    past, recent, quiet, found = [0] * count, [0] * votes, 0, []
    for error in exact:
        if quiet:
            quiet -= 1
            past, recent = [0] * count, [0] * votes
            found.append((0, 0))
            continue
        past = [*past[1:], error]
        mean = sum(past) // count
        recent = [*recent[1:], int(mean >= limit)]
        heard = int(2 * sum(recent) > votes)
        quiet = suppress if heard else 0
        found.append((heard, mean))
    return found


@pytest.mark.parametrize(("count", "suppress", "votes"), [(3, 0, 1), (1, 4, 1), (5, 7, 3), (100, 0, 1)])
def test_mean_quiet_and_votes(tmp_path: Path, count: int, suppress: int, votes: int) -> None:
    alone = pipeline_of(app_in(tmp_path / "alone", 1e5), tmp_path / "first")
    exact = [step.score for step in alone.steps(noises(8)) if step.decided]
    limit = sorted(exact)[len(exact) // (2 if count < 100 else 8)]
    more = f"mean = {count}\nsuppress = {suppress}\nvotes = {votes}\n"
    pipeline = pipeline_of(app_in(tmp_path / "door", 0, more=more), tmp_path / "code")
    pipeline.set_threshold(limit)
    for _ in range(2):  # a reset forgets all of it
        found = [(step.class_index, step.score) for step in pipeline.steps(noises(8)) if step.decided]
        assert found == told(exact, limit, count, suppress, votes)
        assert {class_index for class_index, _ in found} == {0, 1}
        pipeline.reset()
    with pytest.raises(ValueError, match="limit"):
        pipeline.set_threshold(ANOMALY_NEVER + 1)
    pipeline.set_threshold(ANOMALY_NEVER)
    assert not any(step.class_index for step in pipeline.steps(noises(3)))


def test_the_image_decides_as_this_computer(tmp_path: Path) -> None:
    need_tool("qemu-system-arm")
    app = app_in(tmp_path / "door", 2000, more="mean = 2\n", conv=True)
    pipeline = pipeline_of(app, tmp_path / "code")
    spec = load_spec(app)
    made = tmp_path / "code"
    files = (*sorted(made.glob("*.c")), *SOURCES)
    graph = load_graph(app / "model.tflite")
    image = build_image(made, Sources(spec, graph, files, (made,), ()), "mps2_an386")
    sound = noises(3)
    with open_target("qemu", image, board="mps2_an386") as device:
        limit = device.status()["decision.threshold.anomaly"]
        lines = [line for line in map(parse_line, device.replay(sound)) if isinstance(line, Decision)]
        assert device.command("set decision.threshold 8000000") == Setting("decision.threshold", 8000000)
        quiet = [line for line in map(parse_line, device.replay(sound)) if isinstance(line, Decision)]
    here = [step for step in pipeline.steps(sound) if step.decided]
    assert limit == app_score(spec).limit(Fraction(2000))
    assert [(line.class_index, line.score) for line in lines] == [
        (step.class_index, step.score) for step in here
    ]
    assert len({line.score for line in lines}) > 10
    assert {line.class_index for line in quiet} == {0}
    assert [line.score for line in quiet] == [line.score for line in lines]


TOY_CAR = """\
[window]
size = 1024
stride = 512

[log_mel]

[scale]                    # 1 dB a step, from -200 dB on
minimum = -13107200
maximum = 3604480

[cascade]
frames = 5

[classifier]
model = "model.tflite"
offset = 200

[decision]
kind = "anomaly"
labels = ["anomaly"]
threshold = 250
mean = 1
"""


def test_mlperf_tinys_anomaly_detector(tmp_path: Path) -> None:
    model = shared("models/mlperf_tiny/ad01_int8.tflite")
    app = tmp_path / "toy_car"
    app.mkdir()
    (app / "model.tflite").write_bytes(model.read_bytes())
    (app / "pipeline.toml").write_text(TOY_CAR)
    pipeline = pipeline_of(app, tmp_path / "code")
    pipeline.open_gate()
    steps = list(pipeline.steps(noises(4)))
    decided = [step for step in steps if step.decided]
    exact, reals = errors(app, tensors(app, steps))
    assert [step.score for step in decided] == exact
    assert len(decided) > 100
    score = app_score(load_spec(app))
    assert np.allclose([score.value(one) for one in exact], reals, rtol=2e-3)
    assert {step.class_index for step in decided} == {0, 1}
