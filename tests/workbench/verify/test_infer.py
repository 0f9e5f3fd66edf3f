# SPDX-License-Identifier: Apache-2.0
"""infer: outputs for the inputs of a file, in their order; and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen.common.errors import UserError
from tests.models.builder import Builder
from tests.support.cli import earshot, remarks
from tests.support.shared import shared
from tests.support.tools import need_target
from workbench.host.arrays import write_npz
from workbench.verify.packed import pack
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


def of_two_ends(path: Path) -> Path:
    """int8 [1, 6] and [1, 5], the second passed through, to [1, 4] and that."""
    model = Builder()
    left = model.tensor((1, 6), "int8", 0.5, 3, name="left")
    right = model.tensor((1, 5), "int8", 0.1, 0, name="right")
    weights = model.constant(np.arange(-12, 12, dtype=np.int8).reshape(4, 6), 0.01)
    made = model.tensor((1, 4), "int8", 0.04, 0, name="made")
    options = {"fusedActivationFunction": 0, "weightsFormat": 0, "keepNumDims": False}
    model.operator("FULLY_CONNECTED", [left, weights, -1], [made], options)
    return model.write(path, [left, right], [made, right])


def test_several_inputs_and_outputs_are_named_in_a_file(tmp_path: Path) -> None:
    model = of_two_ends(tmp_path / "two.tflite")
    random = np.random.default_rng(2)
    left, right = (random.integers(-128, 128, (9, size), np.int8) for size in (6, 5))
    given, got = tmp_path / "in.npz", tmp_path / "out.npz"
    write_npz(given, {"left": left, "1": right})
    words = ("infer", model, "--inputs", given, "-o")
    main_or_raise(*words, got)
    found = np.load(got)
    packed = [pack([one, other]) for one, other in zip(left, right, strict=True)]
    with ReferenceInterpreter(model) as reference:
        wanted = reference.run(np.stack(packed))[:, :4].view(np.int8)
    assert sorted(found.files) == ["made", "right"]
    assert np.array_equal(found["made"], wanted)
    assert np.array_equal(found["right"], right)
    with pytest.raises(UserError, match=r"the model has 2 outputs: they go into a \.npz file"):
        main_or_raise(*words, tmp_path / "out.npy")
    for arrays, what in (
        ({"left": left}, "has no array right; there are: left"),
        ({"left": left, "right": right[:8]}, "has arrays of several lengths: left 9, right 8"),
        ({"left": left, "right": right[:, :4]}, "array right: has the shape 9 x 4; inputs are N x 5"),
        ({"left": left, "right": right.astype(np.int32)}, "array right: holds int32 values"),
    ):
        write_npz(given, arrays)
        with pytest.raises(UserError) as caught:
            main_or_raise(*words, got)
        assert what in str(caught.value)
    np.save(tmp_path / "in.npy", left)
    with pytest.raises(UserError, match=r"is not a \.npz file of NumPy"):
        main_or_raise("infer", model, "--inputs", tmp_path / "in.npy", "-o", got)


def main_or_raise(*words: str | Path) -> int:
    """A command in this process, its UserError let through."""
    import argparse

    from workbench.commands import infer

    parser = argparse.ArgumentParser()
    infer.arguments(parser)
    return infer.run(parser.parse_args([str(word) for word in words[1:]]))


def test_an_output_whose_first_size_is_no_batch_comes_whole(tmp_path: Path) -> None:
    model, rows = Builder(), np.arange(24, dtype=np.int8).reshape(3, 8)
    x, made = (model.tensor((1, 8), "int8", 0.1, 0) for _ in range(2))
    model.operator("LEAKY_RELU", [x], [made], {"alpha": 0.5})
    y = model.tensor((4, 2), "int8", 0.1, 0, name="rows")
    model.operator("RESHAPE", [made, model.constant(np.array([4, 2], np.int32))], [y], {"newShape": [4, 2]})
    np.save(tmp_path / "in.npy", rows)
    one = model.write(tmp_path / "one.tflite", [x], [y])
    two = model.write(tmp_path / "two.tflite", [x], [y, made])
    main_or_raise("infer", one, "--inputs", tmp_path / "in.npy", "-o", tmp_path / "out.npy")
    main_or_raise("infer", two, "--inputs", tmp_path / "in.npy", "-o", tmp_path / "out.npz")
    wanted = rows.reshape(3, 4, 2)  # none is negative
    assert np.array_equal(np.load(tmp_path / "out.npy"), wanted)
    with np.load(tmp_path / "out.npz") as arrays:
        assert np.array_equal(arrays["rows"], wanted)
