# SPDX-License-Identifier: Apache-2.0
"""Arrays in files of the user that were damaged on their way: read, or refused in a message."""

from __future__ import annotations

import errno
import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from codegen.common.errors import UserError
from codegen.model.graph import Tensor
from workbench.host.arrays import read_inputs, read_packed, save_whole

TENSOR = Tensor(0, "x", (1, 20), "int8")
INPUTS = np.arange(100, dtype=np.int8).reshape(5, 20)


def damaged(data: bytes) -> Iterator[bytes]:
    """One byte of it another, at each place, and cut short."""
    chosen = random.Random(4)
    for at, _ in itertools.product(range(len(data)), range(3)):
        yield data[:at] + bytes([data[at] ^ chosen.randrange(1, 256)]) + data[at + 1 :]
    yield from (data[:end] for end in range(0, len(data), 7))


def refusals(file: Path, read: Callable[[], object]) -> int:
    """How many of the damaged ones are refused; what is raised otherwise comes out of here."""
    count = 0
    for data in damaged(file.read_bytes()):
        file.write_bytes(data)
        try:
            read()
        except UserError as error:
            count += error.file == str(file)
    return count


def test_a_damaged_npz_is_refused_in_a_message(tmp_path: Path) -> None:
    file = tmp_path / "in.npz"
    np.savez_compressed(file, x=INPUTS)
    assert read_packed(file, [TENSOR]).shape[0] == 5
    assert refusals(file, lambda: read_packed(file, [TENSOR])) > 100


def test_a_damaged_npy_is_refused_in_a_message(tmp_path: Path) -> None:
    file = tmp_path / "in.npy"
    np.save(file, INPUTS)
    assert read_inputs(file, TENSOR).shape == (5, 20)
    assert refusals(file, lambda: read_inputs(file, TENSOR)) > 20


@pytest.mark.parametrize("shape", ["(10000000000000000000000, 20)", "(1000000000000000, 20)"])
def test_a_shape_that_no_memory_holds_is_refused(tmp_path: Path, shape: str) -> None:
    file = tmp_path / "in.npy"
    head = f"{{'descr': '|i1', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    file.write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(100))
    with pytest.raises(UserError):
        read_inputs(file, TENSOR)


def test_two_that_write_a_file_at_once_both_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, savez, inner = tmp_path / "new" / "a.npz", np.savez, [1]

    def meanwhile(stream: object, **arrays: object) -> None:
        if inner.pop() == 1:
            inner.append(0)
            save_whole(file, {"x": np.array([1])})
        savez(stream, **arrays)  # type: ignore[arg-type]

    monkeypatch.setattr(np, "savez", meanwhile)
    save_whole(file, {"x": np.array([2])})
    with np.load(file) as arrays:
        assert arrays["x"].tolist() == [2]
    assert [*file.parent.iterdir()] == [file]


def test_a_full_disk_leaves_nothing_and_is_told_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(stream: object, **_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left") as caught:
        save_whole(tmp_path / "a.npz", {})
    assert caught.value.filename == str(tmp_path / "a.npz")
    assert not [*tmp_path.iterdir()]
