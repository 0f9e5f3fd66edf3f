# SPDX-License-Identifier: Apache-2.0
"""data plot: a class against plain sums, the map against the covariance's eigenvectors, the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cli import earshot, here
from workbench.audio.synthesize import write_session, write_wav
from workbench.training.feature_map import FEWEST, Described, mapped, mean_and_spread
from workbench.training.pieces import Piece

APP = ("--app", "examples/smart_lock")


def of(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], labels: list[int]) -> Described:
    pieces = tuple(
        Piece(Path("a.wav"), number, number + 1, label, "a") for number, label in enumerate(labels)
    )
    return Described(pieces, np.full(len(labels), 3), values)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_a_class_is_all_of_its_windows(lengths: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    sounds = [random.integers(0, 256, (length, 4), np.uint8) for length in (*lengths, 5)]
    rows = np.array([mean_and_spread(one) for one in sounds])
    pieces = of(rows, [1] * len(lengths) + [0]).pieces
    whole = np.concatenate(sounds[:-1])
    mean, spread = Described(pieces, np.array([len(one) for one in sounds]), rows).of_class(1)
    assert np.allclose(mean, whole.mean(axis=0))
    assert np.allclose(spread, whole.std(axis=0))


def test_the_map_is_of_the_two_widest_directions() -> None:
    random = np.random.default_rng(1)
    values = random.normal(0, 1, (50, 6)) @ random.normal(0, 1, (6, 6))
    values[:, 5] = 7  # the same everywhere: tells nothing
    seen = mapped(of(values, [0] * 50))
    scaled = (values[:, :5] - values[:, :5].mean(axis=0)) / values[:, :5].std(axis=0)
    sizes, directions = np.linalg.eigh(np.cov(scaled.T, bias=True))
    assert seen.shares == pytest.approx((sizes[-1] / sizes.sum(), sizes[-2] / sizes.sum()))
    for column in (0, 1):
        assert np.allclose(np.abs(seen.places[:, column]), np.abs(scaled @ directions[:, -1 - column]))
    assert mapped(of(values[:1], [0])).places.tolist() == [[0, 0]]


def test_outliers_are_far_from_their_own_class() -> None:
    random = np.random.default_rng(2)
    values = np.concatenate([random.normal(0, 1, (40, 8)), random.normal(20, 1, (40, 8))])
    labels = [0] * 40 + [1] * 40
    assert mapped(of(values, labels)).outliers == ()
    values[7], values[50] = values[60], values[9]  # each in the midst of the other class
    values[50] -= 3
    assert [number for number, _ in mapped(of(values, labels)).outliers] == [50, 7]
    few = np.concatenate([values[:40], values[60 : 60 + FEWEST - 2], values[:1]])
    assert all(number < 40 for number, _ in mapped(of(few, [0] * 40 + [1] * (FEWEST - 1))).outliers)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = write_session(tmp_path, 41, recordings=2, count=4, session="train")
    times = np.arange(16_000) / 16_000
    write_wav(tmp_path / "tone.wav", (8000 * np.sin(2 * np.pi * 3000 * times)).astype(np.int16))
    lines = labels.read_text().splitlines()
    more = [f"tone.wav,0,8000,{label}" + "," * (lines[0].count(",") - 3) for label in ("knocking", "whistle")]
    labels.write_text("\n".join([*lines, *more]) + "\n")
    picture = tmp_path / "map.svg"
    words = ("data", "plot", labels, *APP, "-o", picture)
    done = earshot(*words, "--json")
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    assert reported["segments"] == len(lines) + 1
    assert 0 < reported["shares"][1] <= reported["shares"][0] < 1
    places = [one["place"] for one in reported["outliers"]]
    rank = places.index(f"labels.csv, line {len(lines) + 1}")
    tone = reported["outliers"][rank]
    assert (Path(tone["file"]).name, tone["label"]) == ("tone.wav", "knocking")
    points = reported["points"]
    assert [(Path(one["file"]).name, one["start"], one["end"], one["label"]) for one in points[-2:]] == [
        ("tone.wav", 0, 8000, "knocking"),
        ("tone.wav", 0, 8000, "whistle"),
    ]
    assert len(points) == len(lines) + 1
    lying = np.array([(one["x"], one["y"]) for one in points])
    assert np.abs(lying.mean(axis=0)).max() < 0.01  # principal components lie about the middle
    assert lying[:, 0].std() > lying[:, 1].std() > 0
    picture.unlink()
    assert json.loads(earshot(*words[:-2], "--json").stdout) == {**reported, "picture": None}
    assert not picture.exists()
    assert earshot(*words, "--json").returncode == 0
    text = picture.read_text()
    for shown in ("knocking (9)", "whistle (1)", "knocking, train"):
        assert f"<!-- {shown} -->" in text
    assert f"{rank + 1} tone.wav, line {len(lines) + 1}" in text
    assert here(*words, "--where", "file!=tone.wav") == 0
    assert f"of {len(lines) - 1} segments lie far from the others" in capsys.readouterr().out


def test_command_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_wav(tmp_path / "a.wav", np.arange(1000, dtype=np.int16))
    labels = tmp_path / "labels.csv"
    labels.write_text("file,start,end,label\na.wav,0,100,x\n")
    words = ("data", "plot", labels, "-o", tmp_path / "a.png")
    assert here(*words) == 2
    assert "data plot needs --app" in capsys.readouterr().err
    assert here(*words[:-1], tmp_path / "a.txt", *APP) == 2
    assert "is no picture by its name" in capsys.readouterr().err
    assert here(*words[:-2], *APP) == 2
    assert "data plot needs -o OUT.png" in capsys.readouterr().err
    assert here(*words, *APP) == 2
    assert "no segment is as long as a window" in capsys.readouterr().err
    labels.write_text("file,start,end,label\na.wav,0,9000,x\n")
    assert here(*words, *APP) == 2
    assert "line 2: the segment ends at sample 9000" in capsys.readouterr().err
