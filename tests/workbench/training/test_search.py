# SPDX-License-Identifier: Apache-2.0
"""What a search tries and what it shows; test_training_run.py has whole ones, where TensorFlow is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.paths import ROOT
from tests.support.training import run_trainer
from workbench.data.segment import Segment
from workbench.training.kinds import KINDS, Network, check_shape
from workbench.training.on_board import OnBoard
from workbench.training.pieces import Piece
from workbench.training.plot import plot_search
from workbench.training.recipe import FILE_NAME, Data, Recipe, load_recipe
from workbench.training.search import Budget, Candidate, Search, _pieces
from workbench.training.search_space import Chosen, recipe_text, suggested
from workbench.training.sets import Set

LABELS = ("knocking", "unknown")
RECIPE = load_recipe(ROOT / "examples/smart_lock")
CHOICES = {
    "kind": st.sampled_from(list(KINDS)),
    "dropout": st.floats(0, 0.5),
    "dense": st.sampled_from([0, 16, 24, 32, 64]),
    "kernel": st.integers(2, 5),
    "layers": st.integers(1, 6),
    "width": st.sampled_from([8, 12, 16, 24, 32, 48]),
    "even": st.booleans(),
    "learning_rate": st.floats(0.0005, 0.01),
    "label_smoothing": st.floats(0, 0.1),
    "mix": st.floats(0, 0.4),
    "unknown": st.floats(1, 4),
}


@given(st.fixed_dictionaries(CHOICES), st.integers(2, 100), st.integers(2, 80))
def test_each_recipe_can_be_trained_and_is_read_as_it_is_written(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, object], frames: int, size: int
) -> None:
    recipe = suggested(Chosen(values), RECIPE, (frames, size), LABELS)
    check_shape(recipe.network, (frames, size), recipe.file)
    assert (recipe.data, recipe.augmentation, recipe.fit.seed) == (
        RECIPE.data,
        RECIPE.augmentation,
        RECIPE.fit.seed,
    )
    folder = tmp_path_factory.mktemp("app")
    (folder / FILE_NAME).write_text(recipe_text(recipe, "of a search\nof ours", folder), encoding="utf-8")
    read = load_recipe(folder)
    assert (read.data, read.augmentation, read.network, read.fit) == (
        recipe.data,
        recipe.augmentation,
        recipe.network,
        recipe.fit,
    )


def test_a_recipe_with_a_file_and_odd_names_is_read_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("")
    names = Data(train_session='a "b" \\ \t\x01 ü', test_session="t")
    network = Network(file=tmp_path / "own.py")
    recipe = Recipe(tmp_path / FILE_NAME, names, network=network)
    (tmp_path / FILE_NAME).write_text(recipe_text(recipe, "", tmp_path), encoding="utf-8")
    assert load_recipe(tmp_path) == recipe
    chosen = {"learning_rate": 0.00123456, "label_smoothing": 0.05, "mix": 0.2, "unknown": 1.5}
    tried = suggested(Chosen(chosen), recipe, (15, 20), LABELS)
    assert (tried.network, tried.fit.learning_rate, tried.fit.unknown) == (network, 0.0012, 1.5)
    assert suggested(Chosen(chosen), recipe, (15, 20), ("a", "b")).fit.unknown == recipe.fit.unknown


def candidate(number: int, instructions: int, mean: float | None, flash: int = 100) -> Candidate:
    return Candidate(number, RECIPE, OnBoard(instructions, instructions, "", flash, 10), mean)


@given(st.lists(st.tuples(st.integers(1, 9), st.none() | st.integers(0, 9), st.integers(1, 3)), min_size=1))
def test_the_front_is_what_no_other_beats(figures: list[tuple[int, int | None, int]]) -> None:
    tried = [
        candidate(number, cost, None if mean is None else mean / 10, flash)
        for number, (cost, mean, flash) in enumerate(figures)
    ]
    budget = Budget(instructions=8, flash=2)
    front = Search(tuple(tried), budget, False).front
    within = [
        (one.cost.instructions, one.mean or 0.0)
        for one in tried
        if one.mean is not None and one.cost.instructions <= 8 and one.cost.constants <= 2
    ]
    best = {
        pair for pair in within if not any(o != pair and o[0] <= pair[0] and o[1] >= pair[1] for o in within)
    }
    shown = [(one.cost.instructions, one.mean or 0.0) for one in front]
    assert shown == sorted(best)


def test_what_is_shown(tmp_path: Path) -> None:
    tried = (
        candidate(0, 58000, 0.6),
        candidate(1, 90000, 0.9),
        candidate(2, 20000, 0.8),
        candidate(3, 10**6, None),
    )
    found = Search(tried, Budget(instructions=100_000), False)
    text = found.text().splitlines()
    assert text[0] == "3 recipes were tried; over the budget, and not trained: 1. The front:"
    assert [line.split()[0] for line in text[2:]] == ["your", "2", "1"]
    assert "58,000" in text[2]
    assert "80.0 %" in text[3]
    plot_search(found, tmp_path / "front.svg")
    drawn = (tmp_path / "front.svg").read_text()
    for words in ("the front", "your recipe", "the budget", "100,000"):
        assert f"<!-- {words} -->" in drawn
    assert found.object(tmp_path)["front"] == [2, 1]


def test_what_is_heard_tells_searches_apart(tmp_path: Path) -> None:
    """A recording that is made again has the same name and size; --channel reads another sound of it."""
    pieces = (Piece(tmp_path / "a.wav", 0, 3, 0, "a"),)

    def heard(samples: list[int]) -> object:
        segments = (Segment(tmp_path / "a.wav", 0, 3, "knocking"),)
        own = Set("training", pieces, segments, lambda *_: np.array(samples, np.int16))
        return _pieces({"training": own}, 16000)

    assert heard([1, 2, 3]) == heard([1, 2, 3]) != heard([1, 2, 4])


INTERRUPTED = """
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace as Names
from codegen.common.paths import ROOT
from workbench.training import search
from workbench.training.on_board import OnBoard
from workbench.training.recipe import load_recipe
from workbench.training.search_space import suggested

folder, recipe = Path(sys.argv[1]), load_recipe(ROOT / "examples/smart_lock")
fitted, ends_at = [], 0

class Tried:
    key, own = "key", recipe

    def __init__(self, *_):
        pass

    def suggested(self, trial):
        return suggested(trial, recipe, (15, 20), ("knocking", "unknown"))

    def candidate(self, number, recipe):
        if number == ends_at:
            raise KeyboardInterrupt
        fitted.append(number)
        return search.Candidate(number, recipe, OnBoard(1000 + number, 2000, "", 10, 10), 0.5)

search._Tried = Tried
job = Names(say=lambda _: None, recipe=recipe, anew=False)

def searched(count, end=-1, **words):
    global ends_at
    ends_at = end
    fitted.clear()
    try:
        found = search.search(Names(**{**vars(job), **words}), None, search.Wanted(count), folder)
    except KeyboardInterrupt:
        return "nothing"
    return [len(found.candidates), found.interrupted, list(fitted)]

made = [searched(3, 0), searched(3, 2), searched(3)]
journal = folder / "journal.log"
whole = journal.read_bytes()
journal.write_bytes(whole[:-9])  # a crash while the last candidate was written
made += [searched(3), searched(5)]
journal.write_bytes(journal.read_bytes() + b'{"op_code":')  # a full disk
made += [searched(6), searched(2, anew=True)]
print(json.dumps(made))
"""


def test_a_search_goes_on_wherever_it_ended(tmp_path: Path) -> None:
    """Each: candidates, whether Ctrl-C ended it, and which were tried now."""
    assert json.loads(run_trainer(INTERRUPTED, str(tmp_path))) == [
        "nothing",
        [2, True, [0, 1]],
        [4, False, [2, 3]],
        [4, False, [3]],
        [6, False, [4, 5]],
        [7, False, [6]],
        [3, False, [0, 1, 2]],
    ]
