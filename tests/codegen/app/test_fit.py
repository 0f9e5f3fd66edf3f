# SPDX-License-Identifier: Apache-2.0
"""pipeline.toml against its model: what fits, and what is told where it does not."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from codegen.app.fit import check, remarks
from codegen.app.spec import Cascade, Gate, Kind, Layout, Mfcc, Spec
from codegen.common.errors import UserError, UserErrors
from codegen.model.graph import Graph, Quantization, Variable
from tests.support.apps import App, edges

UNIT = Quantization((1.0,), (-128,))
LAYOUTS = {layout.value: layout for layout in Layout}


def graph(*shape: int, outputs: int = 4) -> Graph:
    return edges(shape, outputs, UNIT)


def fault(app: App, model: Graph) -> UserError:
    with pytest.raises(UserError) as caught:
        check(app.spec, model)
    assert not isinstance(caught.value, UserErrors)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    ("layout", "shape"),
    [
        ("frames_by_cepstra", (1, 15, 20, 1)),
        ("frames_by_cepstra", (1, 15, 20)),
        ("frames_by_cepstra", (1, 1, 15, 20)),
        ("frames_by_cepstra", (1, 15, 1, 20)),
        ("frames_by_cepstra", (1, 300)),
        ("cepstra_by_frames", (1, 20, 15, 1)),
        ("cepstra_by_frames", (1, 300)),
        ("scrambled", (1, 20, 15, 1)),
    ],
)
def test_shapes_that_fit(layout: str, shape: tuple[int, ...]) -> None:
    check(App(layout=LAYOUTS[layout]).spec, graph(*shape))


@pytest.mark.parametrize(
    ("layout", "shape", "place", "remedy"),
    [
        ("frames_by_cepstra", (1, 20, 15, 1), "[classifier] layout", '"cepstra_by_frames", or "scrambled"'),
        ("cepstra_by_frames", (1, 15, 20, 1), "[classifier] layout", 'layout = "frames_by_cepstra"'),
        ("scrambled", (1, 15, 20, 1), "[classifier] layout", 'layout = "frames_by_cepstra"'),
        ("scrambled", (1, 300), "[classifier] layout", 'layout = "frames_by_cepstra"'),
        (
            "frames_by_cepstra",
            (1, 49, 10, 1),
            "[cascade] frames",
            "frames = 49 under [cascade] and cepstra = 10",
        ),
        (
            "cepstra_by_frames",
            (1, 10, 49, 1),
            "[cascade] frames",
            "frames = 49 under [cascade] and cepstra = 10",
        ),
        ("frames_by_cepstra", (1, 320), "[cascade] frames", "frames = 16"),
        ("frames_by_cepstra", (1, 301), "[cascade] frames", "15 x 20"),
        ("frames_by_cepstra", (1, 5, 3, 20), "[cascade] frames", "frames = 15, or train"),
    ],
)
def test_shapes_that_do_not(layout: str, shape: tuple[int, ...], place: str, remedy: str) -> None:
    reported = fault(App(layout=LAYOUTS[layout]), graph(*shape))
    assert reported.place == place
    assert remedy in (reported.remedy or "")
    assert " x ".join(map(str, shape)) in reported.what
    assert layout in reported.what


def test_one_frame_or_one_cepstrum_fits_in_any_layout() -> None:
    for app in (App(cascade=Cascade(1)), App(mfcc=Mfcc(cepstra=1))):
        for layout in Layout:
            count = app.cascade.frames * app.mfcc.cepstra
            check(dataclasses.replace(app, layout=layout).spec, graph(1, count))


@pytest.mark.parametrize("outputs", [1, 3, 5])
def test_labels_are_as_many_as_outputs(outputs: int) -> None:
    reported = fault(App(), graph(1, 15, 20, 1, outputs=outputs))
    assert reported.place == "[decision] labels"
    plural = "" if outputs == 1 else "s"
    assert f"4 labels; the model has {outputs} output{plural} (" in reported.what
    assert f"List {outputs} label{plural} in" in (reported.remedy or "")


def test_both_faults_are_reported_at_once() -> None:
    with pytest.raises(UserErrors) as caught:
        check(App().spec, graph(1, 49, 10, 1, outputs=2))
    assert [error.place for error in caught.value.errors] == ["[cascade] frames", "[decision] labels"]


@pytest.mark.parametrize("end", ["input", "output"])
@pytest.mark.parametrize("dtype", ["float32", "uint8", "int16"])
def test_edges_are_int8(end: str, dtype: str) -> None:
    good = graph(1, 15, 20, 1)
    index = 0 if end == "input" else 1
    tensors = list(good.tensors)
    tensors[index] = dataclasses.replace(tensors[index], dtype=dtype)
    reported = fault(App(), dataclasses.replace(good, tensors=tuple(tensors)))
    assert dtype in reported.what
    assert reported.place == f"{end} {tensors[index].name}"
    assert f"inference_{end}_type = tf.int8" in (reported.remedy or "")


@pytest.mark.parametrize("quantization", [None, Quantization((1.0, 2.0), (0, 0), 2)])
def test_edges_have_one_scale(quantization: Quantization | None) -> None:
    good = graph(1, 15, 20, 1)
    tensors = (dataclasses.replace(good.tensors[0], quantization=quantization), good.tensors[1])
    assert "scale" in fault(App(), dataclasses.replace(good, tensors=tensors)).what


def test_one_tensor_goes_in_and_one_comes_out() -> None:
    good = graph(1, 15, 20, 1)
    assert "2 inputs" in fault(App(), dataclasses.replace(good, inputs=(0, 1))).what
    assert "2 outputs" in fault(App(), dataclasses.replace(good, outputs=(0, 1))).what


def test_the_line_is_reported_where_the_file_is_there(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text('[classifier]\nmodel = "m"\n[decision]\nlabels = ["a", "b"]\nthreshold = 0.5\n[mfcc]\n')
    spec = dataclasses.replace(App(labels=("a", "b")).spec, file=file)
    with pytest.raises(UserError) as caught:
        check(spec, graph(1, 15, 20, 1))
    assert caught.value.place == "line 4, [decision] labels"
    assert caught.value.file == str(file)


def test_a_bare_model_fits_as_it_is() -> None:
    check(dataclasses.replace(App().spec, pipeline=None), graph(1, 7))


SHARES = Quantization((1 / 256,), (-128,))


PASS = "[gate] backoff = 14 lets 15 windows of a short sound pass"


@pytest.mark.parametrize(
    ("cascade", "streams", "said", "enough"),
    [
        (Cascade(49), False, f"{PASS}, and the cascade holds 49: it is decided at its first 15 places", 48),
        (
            Cascade(49),
            True,
            f"{PASS}, a model that begins anew after each gap needs 49: nothing is decided",
            48,
        ),
        (Cascade(15, every=20), False, f"{PASS}, and [cascade] every = 20: on some nothing is decided", 19),
    ],
)
def test_a_gate_that_shuts_early_is_remarked(cascade: Cascade, streams: bool, said: str, enough: int) -> None:
    model = edges((1, cascade.frames, 20, 1), 4, SHARES)
    if streams:
        state = Variable(9, "state", (4,), "int8", np.zeros(4, np.int8))
        model = dataclasses.replace(model, variables=(state,))
    app = App(cascade=cascade)
    (reported,) = remarks(app.spec, model)
    assert reported.startswith(said)
    assert reported.endswith(f"(backoff = {enough} passes enough)")
    for gate in (Gate(600, enough), Gate(0, 14)):  # enough, or open for all
        assert remarks(dataclasses.replace(app, gate=gate).spec, model) == []


@pytest.mark.parametrize(
    ("scale", "zero_point", "words"),
    [
        (1 / 256, -128, ""),
        (1 / 255, -128, ""),
        (0.25, -20, "scores from -27 to 36.8"),
        (1 / 128, 0, "scores from -1 to 0.992"),
        (1 / 1024, -128, "scores from 0 to 0.249"),
    ],
)
def test_a_threshold_of_logits_is_remarked(scale: float, zero_point: int, words: str) -> None:
    model = graph(1, 15, 20, 1)
    scores = dataclasses.replace(model.output, quantization=Quantization((scale,), (zero_point,)))
    tensors = tuple(scores if tensor is model.output else tensor for tensor in model.tensors)
    reported = remarks(App().spec, dataclasses.replace(model, tensors=tensors))
    assert len(reported) == (1 if words else 0)
    assert words in "".join(reported)


def test_what_is_refused_has_no_remarks() -> None:
    assert remarks(App().spec, edges((1, 7), 4, UNIT)) == []


# What the output says


def of_kind(kind: Kind, *, threshold: Fraction = Fraction(1, 2)) -> Spec:
    spec = App(labels=("knock",), threshold=threshold).spec
    assert spec.pipeline is not None
    decision = dataclasses.replace(spec.pipeline.decision, kind=kind)
    return dataclasses.replace(spec, pipeline=dataclasses.replace(spec.pipeline, decision=decision))


def test_an_anomaly_is_of_a_model_that_gives_back_its_input() -> None:
    spec = of_kind(Kind.ANOMALY)
    check(spec, graph(1, 15, 20, 1, outputs=300))
    with pytest.raises(UserError) as caught:
        check(spec, graph(1, 15, 20, 1, outputs=4))
    assert (
        "compares the model's output with its input; the input is 1 x 15 x 20 x 1, the output 1 x 4"
        in str(caught.value)
    )
    assert caught.value.remedy


def test_a_binary_decision_is_of_one_number() -> None:
    spec = of_kind(Kind.BINARY)
    check(spec, graph(1, 15, 20, 1, outputs=1))
    with pytest.raises(UserError, match="one probability or its logit; the model has 2 outputs") as caught:
        check(spec, graph(1, 15, 20, 1, outputs=2))
    assert caught.value.remedy == "Leave kind away and list 2 labels, one an output."


def with_output(model: Graph, quantization: Quantization) -> Graph:
    tensors = [
        dataclasses.replace(tensor, quantization=quantization) if tensor.index in model.outputs else tensor
        for tensor in model.tensors
    ]
    return dataclasses.replace(model, tensors=tuple(tensors))


def test_one_logit_without_its_kind_is_remarked() -> None:
    model = with_output(graph(1, 15, 20, 1, outputs=1), Quantization((0.1,), (0,)))
    (said,) = remarks(of_kind(Kind.CLASSES), model)
    assert 'kind = "binary" compares the sigmoid' in said
    assert remarks(of_kind(Kind.BINARY), model) == []


def test_an_error_that_nothing_can_have_is_remarked() -> None:
    model = with_output(graph(1, 15, 20, 1, outputs=300), Quantization((1.0,), (-128,)))
    assert remarks(of_kind(Kind.ANOMALY, threshold=Fraction(65025)), model) == []
    (said,) = remarks(of_kind(Kind.ANOMALY, threshold=Fraction(65026)), model)
    assert "threshold = 65026 is above 6.502e+04, the largest mean squared error" in said
