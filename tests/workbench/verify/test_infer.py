# SPDX-License-Identifier: Apache-2.0
"""infer: outputs for the inputs of a file, in their order; and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen.common.errors import UserError
from tests.support.cli import earshot, remarks
from tests.support.shared import shared
from tests.support.tools import need_target
from workbench.verify.reference import ReferenceInterpreter


@pytest.mark.parametrize("name", ["tflm/hello_world_int8", "mlperf_tiny/ad01_int8"])
def test_models_made_elsewhere_give_their_golden_outputs(tmp_path: Path, name: str) -> None:
    model = shared(f"models/{name}.tflite")
    golden = np.load(shared(f"models/golden/{name.replace('/', '__')}.npz"))
    np.save(tmp_path / "in.npy", golden["in0"].reshape(8, -1))
    done = earshot("infer", model, "--inputs", tmp_path / "in.npy", "-o", tmp_path / "out.npy")
    assert done.returncode == 0, done.stderr
    assert remarks(done) == ""
    outputs = np.load(tmp_path / "out.npy")
    assert outputs.dtype == golden["out0"].dtype
    assert np.array_equal(outputs.reshape(-1), golden["out0"].reshape(-1))


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_inputs_keep_their_order(model: Path, tmp_path: Path, target: str) -> None:
    need_target(target)
    inputs = np.random.default_rng(1).integers(-128, 128, (7, 10), np.int8)
    np.save(tmp_path / "in.npy", inputs)
    words = ("infer", model, "--inputs", tmp_path / "in.npy", "-o", tmp_path / "out.npy", "--target", target)
    done = earshot(*words, *(("--sequence", "--engine", "aot") if target == "pc" else ()))
    assert done.returncode == 0, done.stderr
    with ReferenceInterpreter(model) as reference:
        assert np.array_equal(np.load(tmp_path / "out.npy"), reference.run(inputs))


def test_inputs_that_do_not_fit_are_refused(model: Path, tmp_path: Path) -> None:
    right = np.zeros((3, 10), np.int8)
    cases: list[tuple[Any, str]] = [
        (right.astype(np.float32), "holds float32 values; the model's input is int8"),
        (right.astype(np.int64), "holds int64 values"),
        (right[:, :9], "has the shape 3 x 9; inputs are N x 10"),
        (right[0], "has the shape 10; inputs are N x 10"),
        (np.int8(3), "has the shape of one value"),
        (right[:0], "holds no inputs"),
        (np.array([{}]), "is not an array of NumPy"),
    ]
    for array, words in cases:
        np.save(tmp_path / "in.npy", array)
        with pytest.raises(UserError) as caught:
            main_or_raise("infer", model, "--inputs", tmp_path / "in.npy", "-o", tmp_path / "out.npy")
        assert words in str(caught.value)
    np.savez(tmp_path / "in.npy.npz", a=right)
    with pytest.raises(UserError, match="holds several arrays"):
        main_or_raise("infer", model, "--inputs", tmp_path / "in.npy.npz", "-o", tmp_path / "out.npy")
    assert not (tmp_path / "out.npy").exists()


def main_or_raise(*words: str | Path) -> int:
    """A command in this process, its UserError let through."""
    import argparse

    from workbench.commands import infer

    parser = argparse.ArgumentParser()
    infer.arguments(parser)
    return infer.run(parser.parse_args([str(word) for word in words[1:]]))
