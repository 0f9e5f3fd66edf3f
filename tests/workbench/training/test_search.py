# SPDX-License-Identifier: Apache-2.0
"""What a search tries and what it shows; test_training_run.py has whole ones, where TensorFlow is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.paths import ROOT
from workbench.training.kinds import KINDS, Network, check_shape
from workbench.training.on_board import OnBoard
from workbench.training.plot import plot_search
from workbench.training.recipe import FILE_NAME, Data, Recipe, load_recipe
from workbench.training.search import Budget, Candidate, Search
from workbench.training.search_space import Chosen, recipe_text, suggested

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
