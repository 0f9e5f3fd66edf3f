# SPDX-License-Identifier: Apache-2.0
"""Arrays in files of the user: .npy in, .npy and .npz out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError
from codegen.common.render import shape_text
from codegen.model.graph import Tensor


def read_inputs(path: Path, tensor: Tensor) -> NDArray[Any]:
    """Inputs of a model, [n, *shape of the tensor without its batch], n > 0."""
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise UserError("there is no such file", file=path) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror or error}", file=path) from None
    except (ValueError, EOFError):
        raise UserError(
            "is not an array of NumPy", file=path, remedy="Write one with numpy.save: [inputs, ...]."
        ) from None
    if not isinstance(array, np.ndarray):
        array.close()
        raise UserError("holds several arrays", file=path, remedy="Write one with numpy.save: [inputs, ...].")
    shape = tensor.shape[1:] if len(tensor.shape) > 1 else tensor.shape
    if array.dtype != np.dtype(tensor.dtype):
        raise UserError(
            f"holds {array.dtype} values; the model's input is {tensor.dtype}",
            file=path,
            remedy="Give the values as the model takes them, after its input's quantization.",
        )
    if array.shape[1:] not in (shape, (tensor.size,)) or array.ndim < 1:
        raise UserError(
            f"has the shape {shape_text(array.shape) or 'of one value'}; inputs are N x {shape_text(shape)}",
            file=path,
            remedy="The first axis counts the inputs, also for a single one.",
        )
    if not len(array):
        raise UserError("holds no inputs", file=path)
    return array.reshape(-1, *shape)


def write_npy(path: Path, array: NDArray[Any]) -> None:
    """One array."""
    _write(path, lambda stream: np.save(stream, array))


def write_npz(path: Path, arrays: dict[str, Any]) -> None:
    """Several arrays by name, compressed."""
    _write(path, lambda stream: np.savez_compressed(stream, **arrays))


def _write(path: Path, save: Any) -> None:
    try:
        with path.open("wb") as stream:
            save(stream)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=path) from None
