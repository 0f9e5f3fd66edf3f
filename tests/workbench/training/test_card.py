# SPDX-License-Identifier: Apache-2.0
"""The card beside a model, and the pieces that it and a cross-validation name."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.app.spec_file import load_spec
from toolbox.options import EXAMPLE
from workbench.data.query import condition
from workbench.training.card import Facts, card
from workbench.training.compared import SHOWN, apart, doubtful, listed
from workbench.training.confusion import UNCERTAIN, confusion
from workbench.training.evaluation import DecidedPiece
from workbench.training.pieces import Piece
from workbench.training.recipe import FILE_NAME, load_recipe
from workbench.training.sets import Labelled, Set

LABELS = ("door", "bell", "unknown")
DOOR, BELL, UNKNOWN = 1, 2, 3  # class indices


def decided(label: int, *classes: int, name: str = "a.wav", start: int = 0) -> DecidedPiece:
    piece = Piece(Path("/sounds") / name, start, start + 8000, label - 1, name)
    return DecidedPiece(piece, tuple((label - 1, one) for one in classes))


def test_pieces_that_two_models_decide_otherwise() -> None:
    pieces = [
        decided(DOOR, DOOR, DOOR, BELL),
        decided(BELL, BELL, 0, start=8000),
        decided(UNKNOWN, 0, UNKNOWN, UNCERTAIN),
    ]
    found = apart(LABELS, pieces, [BELL, 0, BELL, BELL, BELL, UNKNOWN, 0, UNKNOWN])
    assert [one.text for one in found] == [
        "a.wav 0..8000, door: 2 of 3 as door",
        "a.wav 8000..16000, bell: 1 of 2 as UNK",
    ]
    assert apart(LABELS, pieces[:1], [DOOR, DOOR, BELL]) == []
    with pytest.raises(ValueError, match="3 vectors of pieces, 4 others"):
        apart(LABELS, pieces[:1], [DOOR, DOOR, BELL, BELL])


def test_pieces_that_sound_like_another_class() -> None:
    pieces = [
        decided(DOOR, BELL, BELL, DOOR),
        decided(DOOR, BELL, DOOR, name="half.wav"),
        decided(DOOR, 0, 0, 0, name="silent.wav"),
        decided(DOOR, UNKNOWN, UNKNOWN, name="unknown.wav"),
        decided(UNKNOWN, BELL, BELL, name="noise.wav"),
        decided(BELL, BELL, BELL, name="right.wav"),
    ]
    assert [one.text for one in doubtful(LABELS, pieces)] == [
        "noise.wav 0..8000, unknown: 2 of 2 as bell",
        "a.wav 0..8000, door: 2 of 3 as bell",
    ]


def test_long_lists_are_cut() -> None:
    found = doubtful(LABELS, [decided(DOOR, BELL, start=8000 * i) for i in range(SHOWN + 3)])
    assert len(listed(found)) == SHOWN + 1
    assert listed(found)[-1] == "  and 3 more"
    assert len(listed(found[:SHOWN])) == SHOWN


def facts(folder: Path, recipe: str) -> Facts:
    spec = load_spec(EXAMPLE)
    assert spec.pipeline is not None
    (folder / FILE_NAME).write_text(recipe)
    labels = folder / "labels.csv"
    labels.write_text("file,start,end,label\n")
    names = spec.pipeline.decision.labels
    pieces = tuple(Piece(folder / f"{i}.wav", 0, 8000, i % 4, f"author {i % 8}") for i in range(12))
    table = confusion(names, [(0, 1), (0, 0), (1, 2), (2, 3), (3, 4)])
    other = confusion(names, [(0, 1), (0, 1), (1, 2), (2, 3), (3, 4)])
    return Facts(
        "my_lock",
        spec.pipeline,
        load_recipe(folder),
        Labelled(labels, conditions=(condition("device!=phone"),)),
        (Set("training", pieces[:8], ()), Set("test", pieces[8:], ())),
        24_580,
        b"model",
        "0123456789abcdef",
        "On a board it takes little",
        (3, 7, 2),
        {"test": other},
        {"test": table},
        {"test": apart(names, [DecidedPiece(pieces[8], ((0, 0),))], [1])},
        {"TensorFlow": "2.21.0"},
    )


def test_the_card_tells_what_a_model_was_made_of(tmp_path: Path) -> None:
    made = card(facts(tmp_path, '[network]\nkind = "mlp"\n[fit]\nseed = 9\n'))
    lines = made.splitlines()
    assert lines[0] == "# Model of my_lock"
    assert "Out of 6,000 samples (375 ms at 16,000 Hz): 15 frames of 20 features." in made
    assert "`knocking` from a score of 0.8 on" in made
    assert "24,580 parameters, 5 bytes in int8. On a board it takes little." in made
    assert "where `device!=phone`" in made
    assert "| training | 2 | 2 | 2 | 2 | 8 |" in lines
    assert "| test | 1 | 1 | 1 | 1 | 4 |" in lines
    assert "In two sets, so that the figures flatter: author 0, author 1, author 2, author 3." in made
    assert "Mean of the sensitivities 87.5 % by the firmware's integer code, 100.0 % before" in made
    assert "- 8.wav 0..8000, keyboard_typing: 1 of 1 as UNK" in lines
    start = lines.index("    [network]")
    assert lines[start + 1 : start + 4] == ['    kind = "mlp"', "    dense = [24]", "    dropout = 0.2"]
    assert lines[start + 4] == "    [fit]"
    assert "- Seed 9; epoch 3 of 7 was kept, then 2 epochs with int8's rounding." in lines
    assert "TensorFlow 2.21.0." in made
    assert "9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4" in made  # sha256sum of "model"
    assert "contract `0123456789abcdef`" in made


def test_the_card_of_a_network_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "net.py").touch()
    lines = card(facts(tmp_path, '[network]\nfile = "net.py"\n')).splitlines()
    start = lines.index("    [network]")
    assert lines[start + 1 : start + 3] == ['    file = "net.py"', "    [fit]"]
