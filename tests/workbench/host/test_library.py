# SPDX-License-Identifier: Apache-2.0
"""The ctypes view of the PC library: members where the C compiler lays them, the interpreter's scores."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.app.contract import feature_contract
from codegen.app.spec_file import load_spec
from tests.support.compile import FIRMWARE, WARNINGS
from tests.support.tutorial import BARE, noises, tutorial_app, tutorial_library
from toolbox.options import EXAMPLE
from workbench.host import host_library as library
from workbench.host import structs
from workbench.verify.reference import ReferenceInterpreter

STRUCTS: dict[str, type[ctypes.Structure]] = {
    "model_t": structs.ModelStruct,
    "pipeline_t": structs.PipelineStruct,
    "step_t": structs.StepStruct,
    "verdict_t": structs.VerdictStruct,
}


def _most(field: tuple[Any, ...]) -> int:
    """What a field of bits takes, signed or not."""
    return (1 << (int(field[2]) - 1)) - 1


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Size of each struct and offset and size of each member, from gcc."""
    folder = tmp_path_factory.mktemp("layout")
    lines = ['#include "pipeline/pipeline.h"', "#include <stdio.h>", "int main(void)", "{"]
    for name, view in STRUCTS.items():
        lines.append(f'    printf("{name} %zu\\n", sizeof({name}));')
        for field in view._fields_:
            if len(field) == 3:  # bits have no address: the word with the field's largest value in it
                most = f"{{.bits = {{.{field[0]} = {_most(field)}}}}}"
                word = f"(union {{{name} bits; uint32_t word;}}){most}.word"
                lines.append(f'    printf("{name}.{field[0]} %lu\\n", (unsigned long){word});')
                continue
            member = f"{name}, {field[0]}"
            size = f"sizeof((({name} *)0)->{field[0]})"
            lines.append(f'    printf("{name}.{field[0]} %zu\\n", 1000 * offsetof({member}) + {size});')
    source = folder / "layout.c"
    source.write_text("\n".join([*lines, "    return 0;", "}", ""]))
    program = folder / "layout"
    subprocess.run(["gcc", *WARNINGS, f"-I{FIRMWARE}", str(source), "-o", str(program)], check=True)
    reported = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    return {words[0]: int(words[1]) for words in map(str.split, reported.splitlines())}


@pytest.mark.parametrize("name", STRUCTS)
def test_structs_lie_as_the_compiler_lays_them(layout: dict[str, int], name: str) -> None:
    view = STRUCTS[name]
    assert ctypes.sizeof(view) == layout[name]
    for field in view._fields_:
        if len(field) == 3:
            word = int.from_bytes(bytes(view(**{field[0]: _most(field)})), "little")
            assert word == layout[f"{name}.{field[0]}"], field[0]
            continue
        member = getattr(view, field[0])
        assert 1000 * member.offset + member.size == layout[f"{name}.{field[0]}"], field[0]


# A real app: the tutorial's network with random weights


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tutorial_app(tmp_path_factory.mktemp("library") / "door")


@pytest.fixture(scope="module")
def loaded(app: Path, tmp_path_factory: pytest.TempPathFactory) -> library.HostLibrary:
    return tutorial_library(app, tmp_path_factory.mktemp("code"))


def pipeline_of(loaded: library.HostLibrary) -> library.HostPipeline:
    assert loaded.pipeline is not None
    loaded.pipeline.start()
    return loaded.pipeline


def test_the_contract_and_rate_are_the_specs(app: Path, loaded: library.HostLibrary) -> None:
    pipeline = pipeline_of(loaded)
    assert pipeline.contract == feature_contract(load_spec(app))
    assert pipeline.sample_rate == 16000
    assert (loaded.model.input_size, loaded.model.output_size) == (300, 4)


def test_the_model_is_the_reference_interpreters(app: Path, loaded: library.HostLibrary) -> None:
    inputs = np.random.default_rng(5).integers(-128, 128, (20, 15, 20, 1), np.int8)
    with ReferenceInterpreter(app / "model.tflite") as reference:
        expected = reference.run(inputs)
    found = np.array([loaded.model.run(row).view(np.int8) for row in inputs])
    assert np.array_equal(found, expected)
    # a slice that lies askew in memory is the same input
    skewed = np.zeros(301, np.int8)[1:]
    skewed[:] = inputs[3].reshape(-1)
    assert np.array_equal(loaded.model.run(skewed).view(np.int8), expected[3])


def test_an_input_of_another_size_is_refused(loaded: library.HostLibrary) -> None:
    with pytest.raises(ValueError, match="299 bytes for an input of 300"):
        loaded.model.run(np.zeros(299, np.int8))


def test_features_are_those_of_the_steps(loaded: library.HostLibrary) -> None:
    pipeline = pipeline_of(loaded)
    samples = noises(3)
    steps = list(pipeline.steps(samples))
    mfcc, gate, scaled = pipeline.features(samples)
    assert len(steps) == len(samples) // 400
    assert np.array_equal(mfcc, [step.values for step in steps])
    assert gate.tolist() == [step.gate_open for step in steps]
    assert np.array_equal(scaled, [step.features for step in steps])
    assert 0 < gate.sum() < len(gate)


def test_features_of_less_than_a_window_are_none(loaded: library.HostLibrary) -> None:
    mfcc, gate, scaled = pipeline_of(loaded).features(np.zeros(399, np.int16))
    assert (mfcc.shape, gate.shape, scaled.shape) == ((0, 20), (0,), (0, 20))


def test_decisions_follow_from_the_frames_by_the_reference_interpreter(
    app: Path, loaded: library.HostLibrary
) -> None:
    steps = list(pipeline_of(loaded).steps(noises(4, seed=2)))
    decided = [step for step in steps if step.decided]
    assert [step.sequence for step in decided] == [
        step.sequence for step in steps if step.gate_open and step.sequence >= 14
    ]
    assert len({step.class_index for step in decided}) >= 3
    inputs = [
        np.concatenate([steps[index].frame for index in range(step.sequence - 14, step.sequence + 1)])
        for step in decided
    ]
    with ReferenceInterpreter(app / "model.tflite") as reference:
        scores = reference.run(np.array(inputs).reshape(-1, 15, 20, 1))
    for step, vector, expected in zip(decided, inputs, scores, strict=True):
        assert step.scores is not None
        assert step.scores.tolist() == expected.tolist()
        if step.input is not None:
            assert step.input.tolist() == vector.tolist()
        best = int(np.argmax(expected))
        # 0.80 of a softmax with scale 1/256 and zero point -128: q + 128 >= 204.8
        assert step.class_index == (best + 1 if expected[best] >= 77 else 0)
        assert step.score == expected[best]
        assert step.segment_start == (step.sequence - 14) * 400
        assert step.segment_length == 6000


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 8000), max_size=6))
def test_the_size_of_the_pieces_changes_nothing(loaded: library.HostLibrary, cuts: list[int]) -> None:
    pipeline = pipeline_of(loaded)
    samples = noises(0.5, seed=3)
    whole = [(step.sequence, step.start, step.values.tolist()) for step in pipeline.steps(samples)]
    pipeline.reset()
    pieces = np.split(samples, sorted(cuts))
    steps = [step for piece in pieces for step in pipeline.steps(piece)]
    assert [(step.sequence, step.start, step.values.tolist()) for step in steps] == whole


def test_steps_are_copies(loaded: library.HostLibrary) -> None:
    steps = list(pipeline_of(loaded).steps(noises(1)))
    again = list(pipeline_of(loaded).steps(noises(1)))
    assert all(np.array_equal(a.values, b.values) for a, b in zip(steps, again, strict=True))
    assert len({step.values.ctypes.data for step in steps}) == len(steps)


def test_a_bare_model_has_no_pipeline(tmp_path: Path) -> None:
    bare = tutorial_library(tutorial_app(tmp_path / "bare", text=BARE), tmp_path)
    assert bare.pipeline is None
    assert bare.model.run(np.zeros(300, np.int8)).size == 4


def test_frames_are_classified_as_the_steps_are(loaded: library.HostLibrary) -> None:
    """Every window of a sound that never lets the gate shut."""
    pipeline = pipeline_of(loaded)
    random = np.random.default_rng(8)
    loud = np.clip(
        random.normal(0, 1, 32000) * np.repeat(random.choice([900, 9000], 32), 1000), -32768, 32767
    )
    steps = list(pipeline.steps(loud.astype(np.int16)))
    assert all(step.gate_open for step in steps)
    features = np.array([step.features for step in steps])
    expected = [(step.class_index, step.score) for step in steps if step.decided]
    assert len(expected) == 66
    assert len({index for index, _ in expected}) >= 2
    assert pipeline.classify(features) == expected
    assert pipeline.classify(features[:14]) == []


def test_a_threshold_holds_until_the_start(loaded: library.HostLibrary) -> None:
    pipeline = pipeline_of(loaded)
    features = pipeline.features(noises(4, seed=2))[2]
    built = pipeline.classify(features)
    assert 0 in {index for index, _ in built}
    pipeline.set_threshold(-128)
    free = pipeline.classify(features)
    assert 0 not in {index for index, _ in free}
    assert [score for _, score in free] == [score for _, score in built]
    pipeline.set_threshold(128)
    assert {index for index, _ in pipeline.classify(features)} == {0}
    with pytest.raises(ValueError, match="a score limit of 129"):
        pipeline.set_threshold(129)
    pipeline.start()
    assert pipeline.classify(features) == built


def test_what_was_built_anew_is_loaded_anew(tmp_path: Path) -> None:
    """On the same path, in the same process; the first stays what it was."""
    (tmp_path / "code").mkdir()
    found = []
    for maximum in (500_000, 400_000, 500_000):
        app = tutorial_app(tmp_path / f"{maximum}" / "door", text=text_with(maximum))
        found.append((tutorial_library(app, tmp_path / "code"), feature_contract(load_spec(app))))
    for loaded, contract in found:
        assert loaded.pipeline is not None
        assert loaded.pipeline.contract == contract
    assert found[0][1] != found[1][1]


def text_with(maximum: int) -> str:
    """The tutorial's pipeline.toml with this end of its scale."""
    text = (EXAMPLE / "pipeline.toml").read_text()
    assert "maximum = 500000" in text
    return text.replace("maximum = 500000", f"maximum = {maximum}")
