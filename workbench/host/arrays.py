# SPDX-License-Identifier: Apache-2.0
"""Arrays in files of the user: .npy in, .npy and .npz out."""

from __future__ import annotations

import lzma
import os
import struct
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError
from codegen.common.render import shape_text
from codegen.model.graph import Tensor
from workbench.verify.packed import pack

# What zipfile and NumPy raise of a damaged .npz or .npy, beside OSError: a changed byte may be of the data,
# of the way of compression, of a flag (encrypted), or of a shape that no memory holds.
DAMAGED = (
    ValueError,
    EOFError,
    KeyError,
    TypeError,
    SyntaxError,
    RuntimeError,
    OverflowError,
    MemoryError,
    struct.error,
    tokenize.TokenError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)
_TAKEN = {"file", "allow_pickle"}  # names that numpy.savez has for itself


def read_inputs(path: Path, tensor: Tensor) -> NDArray[Any]:
    """Inputs of a model, [n, *shape of the tensor without its batch], n > 0."""
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise UserError("there is no such file", file=path) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror or error}", file=path) from None
    except DAMAGED:
        raise UserError(
            "is not an array of NumPy", file=path, remedy="Write one with numpy.save: [inputs, ...]."
        ) from None
    if not isinstance(array, np.ndarray):
        array.close()
        raise UserError("holds several arrays", file=path, remedy="Write one with numpy.save: [inputs, ...].")
    return _checked(path, array, tensor)


def names_of(tensors: Sequence[Tensor]) -> list[str]:
    """What arrays of several tensors are called in a file: by name, or by number where names are no names."""
    names = [tensor.name for tensor in tensors]
    usable = all(names) and len(set(names)) == len(names) and not _TAKEN & set(names)
    return names if usable else [str(place) for place in range(len(names))]


def read_packed(path: Path, tensors: Sequence[Tensor]) -> NDArray[np.uint8]:
    """Inputs of a model with several, from a .npz with an array for each, by its name or its number: packed
    rows (workbench.verify.packed), n > 0."""
    names = names_of(tensors)
    remedy = f"Write it with numpy.savez: an array [inputs, ...] for each of {', '.join(names)}."
    try:
        file = np.load(path, allow_pickle=False)
        if isinstance(file, np.ndarray):
            raise ValueError
        with file:
            arrays = {key: file[key] for key in file.files}
    except FileNotFoundError:
        raise UserError("there is no such file", file=path) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror or error}", file=path) from None
    except DAMAGED:
        raise UserError("is not a .npz file of NumPy", file=path, remedy=remedy) from None
    found = []
    for place, (name, tensor) in enumerate(zip(names, tensors, strict=True)):
        key = name if name in arrays else str(place)
        if key not in arrays:
            there = ", ".join(sorted(arrays)) or "none"
            raise UserError(f"has no array {name}; there are: {there}", file=path, remedy=remedy)
        found.append(_checked(path, arrays[key], tensor, f"array {key}"))
    if len({len(array) for array in found}) > 1:
        counts = ", ".join(f"{name} {len(array)}" for name, array in zip(names, found, strict=True))
        raise UserError(f"has arrays of several lengths: {counts}", file=path, remedy=remedy)
    return np.stack([pack(row) for row in zip(*found, strict=True)])


def row_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Of one input or output: a tensor's shape without a batch of 1 in front."""
    return shape[1:] if len(shape) > 1 and shape[0] == 1 else shape


def _checked(path: Path, array: NDArray[Any], tensor: Tensor, place: str | None = None) -> NDArray[Any]:
    """The array as inputs of this tensor; UserError where it is none."""
    shape = row_shape(tensor.shape)
    if array.dtype != np.dtype(tensor.dtype):
        raise UserError(
            f"holds {array.dtype} values; the model's input is {tensor.dtype}",
            file=path,
            place=place,
            remedy="Give the values as the model takes them, after its input's quantization.",
        )
    if array.shape[1:] not in (shape, (tensor.size,)) or array.ndim < 1:
        raise UserError(
            f"has the shape {shape_text(array.shape) or 'of one value'}; inputs are N x {shape_text(shape)}",
            file=path,
            place=place,
            remedy="The first axis counts the inputs, also for a single one.",
        )
    if not len(array):
        raise UserError("holds no inputs", file=path, place=place)
    return array.reshape(-1, *shape)


def write_npy(path: Path, array: NDArray[Any]) -> None:
    """One array."""
    _write(path, lambda stream: np.save(stream, array))


def write_npz(path: Path, arrays: dict[str, Any]) -> None:
    """Several arrays by name, compressed."""
    _write(path, lambda stream: np.savez_compressed(stream, **arrays))


def save_whole(path: Path, arrays: dict[str, Any]) -> None:
    """Several arrays by name, as they are, in a folder that is made: the whole file or nothing of it, also
    where two processes write it at once. OSError with the file's name."""
    name = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part.npz", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, **arrays)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException as error:  # a full disk, Ctrl-C
        if name is not None:
            Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


def _write(path: Path, save: Any) -> None:
    try:
        with path.open("wb") as stream:
            save(stream)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=path) from None
