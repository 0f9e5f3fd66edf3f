# SPDX-License-Identifier: Apache-2.0
"""The file that tells how far an interrupted fit came."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench.training.epochs import Epoch
from workbench.training.unfinished import State, Unfinished


def state(random: np.random.RandomState) -> State:
    _, key, *place = random.get_state(legacy=True)
    return State(
        (Epoch(1, 0.1, None, None), Epoch(2, 1 / 3, 0.5, 2.0)),
        2,
        (np.asarray(key, np.uint32), int(place[0]), int(place[1]), float(place[2])),
        (np.array([[1.5, -2]], np.float32), np.array([7, 8], np.uint32)),
        (np.array(40),),
        (np.array([0.1, 1e-30], np.float32),),
    )


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    random = np.random.RandomState(3)
    random.normal()  # a second normal number waits
    written = state(random)
    own = Unfinished("ab", tmp_path / "new")
    assert own.load() is None
    own.save(written)
    read = own.load()
    assert read is not None
    assert (read.epochs, read.best) == (written.epochs, 2)
    for name in ("network", "optimizer", "weights"):
        for one, other in zip(getattr(read, name), getattr(written, name), strict=True):
            assert (one.dtype, one.tolist()) == (other.dtype, other.tolist())
    again = np.random.RandomState(0)
    again.set_state(("MT19937", *read.random))
    assert again.normal(size=9).tolist() == random.normal(size=9).tolist()
    assert Unfinished("cd", tmp_path / "new").load() is None
    own.done()
    own.done()
    assert own.load() is None


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_that_was_cut_is_none(tmp_path: Path, share: float) -> None:
    own = Unfinished("ab", tmp_path)
    own.save(state(np.random.RandomState(3)))
    whole = (tmp_path / "ab.npz").read_bytes()
    (tmp_path / "ab.npz").write_bytes(whole[: round(share * len(whole))])
    assert own.load() is None


def test_the_newest_twenty_are_kept(tmp_path: Path) -> None:
    for number in range(22):
        Unfinished(f"{number:02}", tmp_path).save(state(np.random.RandomState(number)))
    assert sorted(file.stem for file in tmp_path.iterdir()) == [f"{number:02}" for number in range(2, 22)]


def test_where_nothing_can_be_written_the_fit_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    own = Unfinished("ab", tmp_path / "file")
    own.save(state(np.random.RandomState(3)))
    assert own.load() is None
