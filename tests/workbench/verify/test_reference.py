# SPDX-License-Identifier: Apache-2.0
"""The reference interpreter's process: answers, refusals, and what is said of its death."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from codegen.common.reference import Reference
from tests.codegen.ops.test_elu import Elu
from tests.codegen.ops.test_sum import Sum
from tests.codegen.ops.test_svdf import PLAIN
from tests.codegen.ops.test_variable import Stream
from tests.models.networks import dense_only, tutorial_like
from tests.support.cli import refused
from tests.support.exact import Step
from tests.support.tflm import tflm_reference
from workbench.verify.reference import NoReferenceError, ReferenceInterpreter


def _open(path: Path, reference: Reference) -> ReferenceInterpreter:
    return ReferenceInterpreter(path) if reference is Reference.LITERT else tflm_reference(path)


@pytest.mark.parametrize("reference", Reference)
def test_rows_in_rows_out(reference: Reference, tmp_path: Path) -> None:
    rows = np.random.default_rng(1).integers(-128, 128, (5, 15, 20, 1), dtype=np.int8)
    with _open(tutorial_like(tmp_path / "model.tflite", 1), reference) as opened:
        outputs = opened.run(rows)
        assert (outputs.shape, outputs.dtype.name) == ((5, 4), "int8")
        assert np.array_equal(opened.run(rows[3:4]), outputs[3:4])
        assert opened.run(rows[:0]).shape == (0, 4)


@pytest.mark.parametrize("reference", Reference)
def test_every_tensor_of_one_run(reference: Reference, tmp_path: Path) -> None:
    """Inputs, weights, intermediate results: by the file's indices, and they hang together."""
    path = dense_only(tmp_path / "model.tflite", 1)
    row = np.arange(10, dtype=np.int8)
    with _open(path, reference) as opened:
        tensors = opened.tensors(row)
        (output,) = opened.run(row[np.newaxis])
    assert tensors[0].reshape(-1).tolist() == row.tolist()
    assert tensors[max(tensors)].reshape(-1).tolist() == output.reshape(-1).tolist()
    assert sorted(tensors) == list(range(7))


@pytest.mark.parametrize("reference", Reference)
def test_state_is_kept_or_not(reference: Reference, tmp_path: Path) -> None:
    path = tmp_path / "stream.tflite"
    path.write_bytes(Stream(1, (3,), 4, True, False, 1).build().bytes())
    rows = np.random.default_rng(1).integers(-128, 128, (6, 1, 4), dtype=np.int8)
    with _open(path, reference) as opened:
        kept, fresh = opened.run(rows, sequence=True), opened.run(rows)
        assert np.array_equal(kept, opened.run(rows, sequence=True))  # each call starts anew
    assert np.array_equal(kept[0], fresh[0])
    assert not np.array_equal(kept[1:], fresh[1:])


@pytest.mark.parametrize("reference", Reference)
def test_a_refused_model_is_named(reference: Reference, tmp_path: Path) -> None:
    path = tmp_path / "broken.tflite"
    path.write_bytes(b"\0\0\0\0TFL3" + bytes(100))
    with pytest.raises(NoReferenceError, match=r"broken\.tflite"):
        _open(path, reference)


def test_a_wrong_input_is_refused_and_the_process_lives_on(tmp_path: Path) -> None:
    with ReferenceInterpreter(dense_only(tmp_path / "model.tflite", 1)) as reference:
        with pytest.raises(NoReferenceError, match="int8"):
            reference.run(np.zeros((1, 10), np.float32))
        assert reference.run(np.zeros((1, 10), np.int8)).shape == (1, 3)


def test_a_death_names_the_signal_and_the_model(tmp_path: Path) -> None:
    with ReferenceInterpreter(dense_only(tmp_path / "model.tflite", 1)) as reference:
        os.kill(reference._child.pid, signal.SIGSEGV)
        with pytest.raises(NoReferenceError, match=r"model\.tflite.*SIGSEGV"):
            reference.run(np.zeros((1, 10), np.int8))


@pytest.mark.parametrize(
    ("op", "what"),
    [
        ("ELU", "Didn't find op"),
        ("SUM", "takes int8 and int16 for uint8"),
        ("SVDF", "writes beyond its memory in an SVDF"),
    ],
)
def test_what_litert_cannot_be_asked_is_tflms(tmp_path: Path, op: str, what: str) -> None:
    step = Step(0.1, 0)
    attention = Sum((1, 5, 4), (1,), keep=False, input_=step, output=step)
    built = {"ELU": Elu(step, step).build(), "SUM": attention.build(), "SVDF": PLAIN.build()}
    model = tmp_path / "model.tflite"
    model.write_bytes(built[op].bytes())
    said = refused("verify", model, "--samples", "1")
    assert what in said
    assert "Add --reference tflm" in said
