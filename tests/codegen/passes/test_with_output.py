# SPDX-License-Identifier: Apache-2.0
"""[classifier] output: of a model with several outputs the one that is an app's scores."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.compile import App, compile_app
from codegen.passes.int8_ends import with_output
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder
from tests.models.networks import Network
from tests.support.models_c import ModelsC
from tests.support.tutorial import noises, tutorial_library
from workbench.host.features import app_score
from workbench.verify.reference import ReferenceInterpreter

TOML = """\
[gate]
threshold = -1

[mfcc]
cepstra = 4

[cascade]
frames = 5

[classifier]
model = "model.tflite"
{output}

[decision]
labels = ["a", "b", "c"]
threshold = 0.5
"""


def app_in(folder: Path, output: str, *, one: bool = False) -> Path:
    """A picture of 5 x 4 in; an embedding of 8 and, from it, three scores out. one: the scores alone"""
    folder.mkdir()
    net = Network(2, (1, 5, 4, 1), scale=1.0, zero_point=-128)
    net.flatten(dynamic=False)
    net.dense(8)
    embedding = net.last
    net.dense(3)
    net.graph.tensors[embedding].name = "embedding"
    net.graph.tensors[net.last].name = "logits"
    net.write(folder / "model.tflite", [net.input], [net.last] if one else [embedding, net.last])
    (folder / "pipeline.toml").write_text(TOML.format(output=output))
    return folder


@pytest.mark.parametrize("output", ["output = 1", 'output = "logits"'])
def test_an_app_decides_by_the_one_it_names(tmp_path: Path, output: str) -> None:
    app = app_in(tmp_path / "door", output)
    (tmp_path / "code").mkdir()
    pipeline = tutorial_library(app, tmp_path / "code").pipeline
    assert pipeline is not None
    steps = [step for step in pipeline.steps(noises(2)) if step.decided and step.input is not None]
    inputs = np.stack([step.input for step in steps if step.input is not None]).reshape(-1, 5, 4, 1)
    with ReferenceInterpreter(app / "model.tflite") as reference:
        packed = reference.run(inputs)
    wanted = packed[:, 8:11].view(np.int8)
    assert np.array_equal(np.array([step.scores for step in steps]), wanted)
    assert len(np.unique(wanted)) > 10
    quantization = load_graph(app / "model.tflite").tensors[compile_app(app).graph.outputs[0]].quantization
    assert quantization is not None
    assert app_score(compile_app(app).spec).zero_point == quantization.zero_point


def test_what_the_scores_do_not_need_is_gone(tmp_path: Path) -> None:
    graph = load_graph(app_in(tmp_path / "door", "output = 0") / "model.tflite")
    alone = with_output(graph, 0)
    assert [node.op for node in alone.nodes] == ["RESHAPE", "FULLY_CONNECTED"]
    assert with_output(graph, "logits").outputs == graph.outputs[1:]
    beside = dataclasses.replace(graph, inputs=(*graph.inputs, graph.outputs[0]))
    assert with_output(beside, 0).inputs == graph.inputs


@pytest.mark.parametrize(
    ("output", "what"),
    [
        ("", "the model has 2 outputs (0 embedding, 1 logits); a pipeline feeds one and reads one"),
        ("output = 2", "there is no one output 2: the model has 0 embedding, 1 logits"),
        ('output = "scores"', "there is no one output scores: the model has 0 embedding, 1 logits"),
    ],
)
def test_an_output_that_is_not_there(tmp_path: Path, output: str, what: str) -> None:
    with pytest.raises(UserError) as caught:
        compile_app(app_in(tmp_path / "door", output))
    assert caught.value.what == what
    assert caught.value.remedy == "Name the scores by number or name under [classifier]: output = 0"


def streaming(path: Path) -> Path:
    """Outputs: RELU of the input; the input of two runs before, by way of the variables "late" and "early";
    the largest value so far, of the variable "most"."""
    model = Builder()
    x, plain, before, last, old, most = (model.tensor((1, 4), "int8", 0.05, -4) for _ in range(6))
    initial = np.array([[5, -6, 70, -128]], np.int8)
    kept, late, early = (model.variable(name, initial) for name in ("most", "late", "early"))
    model.operator("RELU", [x], [plain])
    model.operator("READ_VARIABLE", [kept], [old])
    model.operator("MAXIMUM", [x, old], [most])
    model.operator("ASSIGN_VARIABLE", [kept, most], [])
    model.operator("READ_VARIABLE", [late], [before])
    model.operator("READ_VARIABLE", [early], [last])
    model.operator("ASSIGN_VARIABLE", [late, last], [])
    model.operator("ASSIGN_VARIABLE", [early, x], [])
    return model.write(path, [x], [plain, before, most])


def test_an_output_brings_the_variables_it_depends_on(tmp_path: Path) -> None:
    path = streaming(tmp_path / "model.tflite")
    graph = load_graph(path)
    alone = [with_output(graph, number) for number in range(3)]
    assert [node.op for node in alone[0].nodes] == ["RELU"]
    found = [[(each.index, each.name) for each in one.variables] for one in alone]
    assert found == [[], [(0, "late"), (1, "early")], [(0, "most")]]
    assert [len(one.nodes) for one in alone] == [1, 4, 3]
    inputs = np.random.default_rng(1).integers(-128, 128, (12, 4), dtype=np.int8)
    outputs = ModelsC(alone).run([inputs] * 3, sequence=True)
    with ReferenceInterpreter(path) as reference:
        packed = reference.run(inputs, sequence=True)
    for number, made in enumerate(outputs):
        assert np.array_equal(packed[:, 4 * number : 4 * number + 4].view(np.int8), made), number


@pytest.mark.parametrize("output", ["0", '"logits"'])
def test_the_one_output_may_be_named(tmp_path: Path, output: str) -> None:
    compiled = compile_app(app_in(tmp_path / "door", f"output = {output}", one=True))
    assert compiled.graph.output.size == 3
    again = compile_app(App(compiled.spec, compiled.graph))  # a graph of which an output has been chosen
    assert again.graph.outputs == compiled.graph.outputs


@pytest.mark.parametrize("output", ["1", "7", '"nonsense"'])
def test_the_one_output_is_another(tmp_path: Path, output: str) -> None:
    with pytest.raises(UserError) as caught:
        compile_app(app_in(tmp_path / "door", f"output = {output}", one=True))
    named = output.strip('"')
    assert caught.value.what == f"there is no one output {named}: the model has 0 logits"
    assert caught.value.place == "line 12, [classifier] output"
    assert caught.value.remedy == "Leave output away: the model has one."


@pytest.mark.parametrize("output", ["-1", "-2", "true", '""', "1.0"])
def test_no_number_and_no_name(tmp_path: Path, output: str) -> None:
    with pytest.raises(UserError, match="an output's number, from 0, or its name is allowed"):
        compile_app(app_in(tmp_path / "door", f"output = {output}"))


@pytest.mark.parametrize("engine", ["aot", "tflm"])
@pytest.mark.parametrize("one", [True, False])
def test_the_engine_tflm_reads_the_one_it_names(tmp_path: Path, engine: str, *, one: bool) -> None:
    """aot: in place of tflm, as `generate` and this computer have it."""
    app = app_in(tmp_path / "door", f'engine = "tflm"\noutput = {int(not one)}', one=one)
    compiled = compile_app(app, engine=engine)
    assert (compiled.graph.output.name, compiled.graph.chosen) == ("logits", int(not one))
    assert compiled.spec.classifier.reference is Reference.TFLM


def test_the_engine_tflm_is_told_which(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        compile_app(app_in(tmp_path / "door", 'engine = "tflm"'), engine="tflm")
    assert caught.value.remedy == "Name the scores by number or name under [classifier]: output = 0"
    with pytest.raises(UserError, match="there is no one output 2: the model has 0 embedding, 1 logits"):
        compile_app(app_in(tmp_path / "window", 'engine = "tflm"\noutput = 2'), engine="tflm")
