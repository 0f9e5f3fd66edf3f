# SPDX-License-Identifier: Apache-2.0
"""What is learnt from: pieces of segments, and the sets that a label file is split into."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.app.spec import Layout
from codegen.common.errors import UserError
from tests.support.tutorial import noises, tutorial_app, tutorial_library
from workbench.audio.synthesize import write_wav
from workbench.data.labels import Segment
from workbench.data.sessions import TRAIN
from workbench.host.host_library import HostPipeline
from workbench.training.chosen import add_arguments, chosen_segments
from workbench.training.pieces import Piece, cut, fold_of_groups, split, split_in_time
from workbench.training.recipe import FILE_NAME, Recipe, load_recipe
from workbench.training.sets import (
    NO_VALIDATION,
    NONE_WANTED,
    Labelled,
    Set,
    background_of,
    held_back,
    make_folds,
    make_sets,
)

FILE = Path("/sounds/a.wav")


def recipe(folder: Path, text: str) -> Recipe:
    (folder / FILE_NAME).write_text(text)
    return load_recipe(folder)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> HostPipeline:
    app = tutorial_app(tmp_path_factory.mktemp("training") / "door")
    made = tutorial_library(app, tmp_path_factory.mktemp("code")).pipeline
    assert made is not None
    return made


# Pieces


def segment(start: int, end: int, label: str = "knock", author: str = "") -> Segment:
    return Segment(FILE, start, end, label, author=author)


def test_long_segments_are_cut() -> None:
    pieces = cut([segment(100, 20_100), segment(30_000, 36_000)], ("knock",), 8000, 6000)
    assert [(piece.start, piece.end) for piece in pieces] == [(100, 8100), (8100, 16_100), (30_000, 36_000)]
    whole = cut([segment(100, 20_100)], ("knock",), None, 6000)
    assert [(piece.start, piece.end) for piece in whole] == [(100, 20_100)]


def test_pieces_are_never_shorter_than_a_vector() -> None:
    pieces = cut([segment(0, 13_000)], ("knock",), 1, 6000)
    assert [(piece.start, piece.end) for piece in pieces] == [(0, 6000), (6000, 12_000)]
    with pytest.raises(UserError, match="no segment is as long as one decision, 6000 samples"):
        cut([segment(0, 5999)], ("knock",), 8000, 6000)


def test_segments_that_give_nothing_are_said() -> None:
    said: list[str] = []
    segments = [
        Segment(FILE, start, end, label, source=Path("/sounds/labels.csv"), line=line)
        for line, (start, end, label) in enumerate(
            [(0, 8000, "a"), (8000, 13_999, "a"), (20_000, 26_000, "b"), (30_000, 30_100, "b")], start=2
        )
    ]
    assert len(cut(segments, ("a", "b"), 8000, 6000, said.append)) == 2
    assert said == [
        "2 of 4 segments are shorter than one decision, 6,000 samples, and give nothing (a 1, b 1): "
        "labels.csv lines 3, 5"
    ]


def overlapping(*stretches: tuple[int, int, str]) -> list[Segment]:
    return [
        Segment(FILE, start, end, label, source=Path("/sounds/labels.csv"), line=line)
        for line, (start, end, label) in enumerate(stretches, start=2)
    ]


def test_one_sample_of_two_classes_is_refused() -> None:
    segments = overlapping((9000, 20_000, "b"), (0, 8000, "a"), (7999, 30_000, "a"), (30_000, 40_000, "b"))
    with pytest.raises(UserError) as caught:
        cut(segments, ("a", "b"), 8000, 6000, print)
    assert (caught.value.file, caught.value.place) == ("/sounds/labels.csv", "line 4")
    assert caught.value.what == (
        "this segment (a) overlaps that of line 2 (b): samples 9000 to 20000 of a.wav"
    )
    touching = overlapping((0, 8000, "a"), (8000, 16_000, "b"))
    assert len(cut(touching, ("a", "b"), 8000, 6000, print)) == 2
    elsewhere = [dataclasses.replace(segments[0], file=Path("/sounds/b.wav")), segments[2]]
    cut(elsewhere, ("a", "b"), 8000, 6000, print)


def test_two_segments_of_one_class_that_overlap_are_said() -> None:
    said: list[str] = []
    segments = overlapping((0, 8000, "a"), (7000, 16_000, "A"))
    assert len(cut(segments, ("a", "b"), 8000, 6000, said.append)) == 2
    assert said == [
        "1 segments overlap others of their class; what they share counts twice: labels.csv line 3"
    ]


groups = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abcdefgh")), min_size=1, max_size=60)


@given(groups, st.floats(0, 0.5), st.integers(0, 1000))
def test_split_keeps_groups_together(members: list[tuple[int, str]], share: float, seed: int) -> None:
    pieces = [Piece(FILE, 10 * i, 10 * i + 9, label, group) for i, (label, group) in enumerate(members)]
    training, validation = split(pieces, share, seed)
    assert sorted((*training, *validation), key=lambda piece: piece.start) == pieces
    assert not {piece.group for piece in training} & {piece.group for piece in validation}
    assert split(pieces, share, seed) == (training, validation)


def test_split_takes_the_share() -> None:
    pieces = [Piece(FILE, i, i + 1, i % 2, f"author {i // 4}") for i in range(400)]
    for seed in range(5):
        _, validation = split(pieces, 0.2, seed)
        for label in (0, 1):
            assert sum(piece.label == label for piece in validation) == pytest.approx(40, abs=4)
    assert split(pieces, 0.2, 1) != split(pieces, 0.2, 2)
    assert split(pieces, 0.0, 1)[1] == ()
    # The only author of a class stays in training.
    assert split(pieces[:4], 0.5, 1)[1] == ()


def test_split_in_time_holds_back_the_end_of_each_class() -> None:
    pieces = [Piece(FILE, 10 * i, 10 * i + 9, i % 2, "a.wav") for i in range(20)]
    learnt, held = split_in_time(pieces[::-1], 0.2)
    assert sorted(piece.start for piece in held) == [160, 170, 180, 190]
    assert sorted([*learnt, *held], key=lambda piece: piece.start) == pieces
    assert split_in_time(pieces[:1], 0.5) == (tuple(pieces[:1]), ())
    assert split_in_time(pieces, 0.0) == (tuple(pieces), ())


# Sets


def session(folder: Path, rows: str) -> Path:
    for name in ("a", "b", "c", "d", "e"):
        write_wav(folder / f"{name}.wav", noises(1.5))
    file = folder / "labels.csv"
    file.write_text("file,start,end,label,session,author\n" + rows)
    return file


FOUR = "".join(
    f"{name}.wav,0,20000,{label},train,{name.upper()}\n"
    for name, label in zip("abcd", ("key_io", "knocking", "locking", "unknown"), strict=True)
)


ALL = [*zip("abcd", ("key_io", "knocking", "locking", "unknown"), strict=True), ("e", "key_io")]


def sets_of(
    pipeline: HostPipeline, folder: Path, labels: Path, text: str = ""
) -> tuple[dict[str, Set], list[str]]:
    said: list[str] = []
    made = make_sets(pipeline, recipe(folder, text), Labelled(labels), said.append)
    return {chosen.name: chosen for chosen in made}, said


def test_sets(pipeline: HostPipeline, tmp_path: Path) -> None:
    labels = session(tmp_path, FOUR + "e.wav,100,8100,knocking,test,E\n")
    sets, said = sets_of(pipeline, tmp_path, labels)
    assert {name: len(chosen.pieces) for name, chosen in sets.items()} == {
        "training": 8,
        "validation": 0,  # one author a class: none can be spared
        "test": 1,
    }
    assert said == [NO_VALIDATION, "The test set has no sound of key_io, locking, unknown."]
    assert len(sets["validation"].vectors(pipeline, Layout.FRAMES_BY_CEPSTRA, Recipe(tmp_path))) == 0


def test_segments_without_a_session_beside_others_are_told(pipeline: HostPipeline, tmp_path: Path) -> None:
    labels = session(tmp_path, FOUR + "e.wav,0,8000,key_io,,E\ne.wav,8000,16000,knocking,,E\n")
    sets, said = sets_of(pipeline, tmp_path, labels)
    assert {piece.group for piece in sets["training"].pieces} == set("ABCD")
    assert said[0] == "2 segments have no session and are left out."


def test_a_command_says_which_segments_it_leaves_out(
    pipeline: HostPipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = session(tmp_path, FOUR + "e.wav,0,8000,key_io,,E\n")
    parser = argparse.ArgumentParser()
    add_arguments(parser, TRAIN)
    words = ["--app", str(tmp_path), "--labels", str(labels)]
    assert len(chosen_segments(parser.parse_args(words), pipeline.spec, TRAIN, needed=True)) == 4
    assert "1 segment has no session and is left out\n" in capsys.readouterr().err
    named = parser.parse_args([*words, "--session", TRAIN])
    assert len(chosen_segments(named, pipeline.spec, TRAIN, needed=True)) == 4
    assert "left out" not in capsys.readouterr().err


def test_only_what_is_learnt_is_augmented(pipeline: HostPipeline, tmp_path: Path) -> None:
    labels = session(tmp_path, FOUR + "e.wav,100,8100,knocking,test,E\n")
    sets, _ = sets_of(pipeline, tmp_path, labels)
    how = recipe(tmp_path, "[augmentation]\ncopies = 2\n")
    assert len(sets["training"].vectors(pipeline, Layout.FRAMES_BY_CEPSTRA, how)) == 8 * 3 * 6
    assert len(sets["test"].vectors(pipeline, Layout.FRAMES_BY_CEPSTRA, how)) == 6


def test_what_is_held_back_is_the_validation_set(pipeline: HostPipeline, tmp_path: Path) -> None:
    labels = session(tmp_path, FOUR + "e.wav,0,8000,key_io,train,E\ne.wav,8000,24000,knocking,test,F\n")
    how = recipe(tmp_path, "[data]\nvalidation = 0.5\nsynthetic = 1\n")
    found = held_back(pipeline, how, Labelled(labels))
    sets, _ = sets_of(pipeline, tmp_path, labels, "[data]\nvalidation = 0.5\n")
    groups = {piece.group for piece in sets["validation"].pieces}
    assert groups == {"A"}  # drawn of key_io's two; each other class has one author and keeps it
    assert [(one.author, one.label, one.session) for one in found] == [(*groups, "key_io", "train")]
    with pytest.raises(UserError, match="the training holds nothing back") as caught:
        held_back(pipeline, recipe(tmp_path, "[data]\nvalidation = 0\n"), Labelled(labels))
    assert caught.value.file == str(how.file)


def test_what_is_held_back_of_labels_without_sessions_needs_the_test_set_of_the_training(
    pipeline: HostPipeline, tmp_path: Path
) -> None:
    """`train --test` learns from what it would hold back as the test set without that."""
    labels = session(tmp_path, "".join(f"{name}.wav,0,20000,{label},,\n" for name, label in ALL))
    track = tmp_path / "e.txt"
    track.write_text("0.0\t1.0\tlocking\n")
    how = recipe(tmp_path, "[data]\nvalidation = 0.5\ntest = 0.5\n")
    with pytest.raises(UserError, match="no segment has a session") as caught:
        held_back(pipeline, how, Labelled(labels))
    assert caught.value.file == str(labels)
    assert "--test LABELS" in str(caught.value)
    validation = make_sets(pipeline, how, Labelled(labels, track), print)[1]
    found = held_back(pipeline, how, Labelled(labels, track))
    assert {one.group for one in found} == {piece.group for piece in validation.pieces}
    alone = recipe(tmp_path, "[data]\nvalidation = 0.5\ntest = 0\n")  # no test set in either case
    assert held_back(pipeline, alone, Labelled(labels)) == found


def test_background_is_what_is_learnt_of_unknown(
    pipeline: HostPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = session(tmp_path, FOUR + "e.wav,100,16100,unknown,test,E\n")
    names = pipeline.spec.decision.labels
    sets, _ = sets_of(pipeline, tmp_path, labels)
    how = recipe(tmp_path, "[augmentation]\nbackground = 0.5\n")
    sounds = background_of(how, sets["training"], names, 16_000)
    assert [sound.tolist() for sound in sounds] == [
        noises(1.5)[start : start + 8000].tolist() for start in (0, 8000)
    ]
    monkeypatch.setattr("workbench.training.sets.MIXED", 1)
    assert len(background_of(how, sets["training"], names, 16_000)) == 1
    for text in ("", "[augmentation]\nbackground = 0.5\ncopies = 0\n"):
        assert background_of(recipe(tmp_path, text), sets["training"], names, 16_000) == ()
    with pytest.raises(UserError, match="no such label") as caught:
        background_of(how, sets["training"], ("a", "b", "c", "d"), 16_000)
    assert (caught.value.file, caught.value.place) == (str(how.file), "[augmentation] background")


def test_an_author_in_both_sessions_is_reported(pipeline: HostPipeline, tmp_path: Path) -> None:
    labels = session(tmp_path, FOUR + "e.wav,100,8100,knocking,test,B\n")
    _, said = sets_of(pipeline, tmp_path, labels, "[data]\nvalidation = 0\n")
    assert said[1] == NONE_WANTED
    assert said[:1] == ["Warning: B: in both sessions. The figures of the test session will flatter."]


def test_a_class_without_sounds(pipeline: HostPipeline, tmp_path: Path) -> None:
    labels = session(tmp_path, FOUR.replace("locking", "knocking"))
    with pytest.raises(UserError, match="there is nothing to learn locking from"):
        sets_of(pipeline, tmp_path, labels)


def test_labels_without_sessions_are_split_by_rule(pipeline: HostPipeline, tmp_path: Path) -> None:
    rows = "".join(f"{name}.wav,0,20000,{label},,\n" for name, label in ALL)
    labels = session(tmp_path, rows)
    sets, said = sets_of(pipeline, tmp_path, labels, "[data]\ntest = 0.5\nvalidation = 0\n")
    groups = {name: {piece.group for piece in chosen.pieces} for name, chosen in sets.items()}
    assert groups["test"] == {"e.wav"} or groups["test"] == {"a.wav"}  # the only class with two recordings
    assert not groups["test"] & groups["training"]
    assert said[0] == ("No label has a session: 1 of 5 authors or recordings are held back as the test set.")
    sets, said = sets_of(pipeline, tmp_path, labels, "[data]\ntest = 0\n")
    assert "test" not in sets
    assert said[0].startswith("No label has a session, and training.toml holds nothing back")


def test_one_label_track_is_enough(pipeline: HostPipeline, tmp_path: Path) -> None:
    write_wav(tmp_path / "door.wav", noises(4.5))
    track = tmp_path / "door.txt"
    classes = ("key_io", "knocking", "locking", "unknown")
    track.write_text("".join(f"{i}.0\t{i + 1}.0\t{label}\n" for i, label in enumerate(classes)))
    sets, said = sets_of(pipeline, tmp_path, track)
    assert [len(sets[name].pieces) for name in ("training", "test", "validation")] == [4, 4, 0]
    assert all(
        max(p.start for p in sets["training"].pieces if p.label == test.label) < test.start
        for test in sets["test"].pieces
    )
    assert "the last 20 % of each class are held back as the test set. Its figures will flatter." in said[0]


def test_what_a_class_cannot_spare_is_not_called_absent(pipeline: HostPipeline, tmp_path: Path) -> None:
    """Two recordings a class, of which one is half of it: none is near the fifth that is wanted."""
    for name in "fgh":
        write_wav(tmp_path / f"{name}.wav", noises(1.5))
    labels = [*ALL, *zip("fgh", ("knocking", "locking", "unknown"), strict=True)]
    rows = "".join(f"{name}.wav,0,16000,{label},,\n" for name, label in labels)
    sets, said = sets_of(pipeline, tmp_path, session(tmp_path, rows))
    assert "no class can spare a whole author or recording" in said[0]
    assert len(sets["test"].pieces) == 4


def test_a_test_set_of_its_own(pipeline: HostPipeline, tmp_path: Path) -> None:
    labels = session(tmp_path, FOUR + "e.wav,100,8100,knocking,test,E\n")
    (tmp_path / "e.txt").write_text("0.0\t1.0\tlocking\n")
    made = make_sets(pipeline, recipe(tmp_path, ""), Labelled(labels, tmp_path / "e.txt"), print)
    (test,) = [chosen for chosen in made if chosen.name == "test"]
    assert [(piece.file.name, piece.label) for piece in test.pieces] == [("e.wav", 2)] * 2


# Folds of a cross-validation


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 11)), min_size=40), st.integers(2, 5))
def test_folds_share_out_the_groups(owned: list[tuple[int, int]], count: int) -> None:
    """Each group is in one fold. None has more than its share of the pieces and the largest group."""
    pieces = [Piece(FILE, i, i + 1, label, f"author {group}") for i, (label, group) in enumerate(owned)]
    fold_of = fold_of_groups(pieces, count, 1)
    assert set(fold_of) == {piece.group for piece in pieces}
    assert set(fold_of.values()) <= set(range(count))
    assert fold_of == fold_of_groups(pieces[::-1], count, 1)


def test_every_class_is_spread_over_the_folds() -> None:
    """Ten authors of one class, five of another, of equal size: two and one in each of five folds."""
    pieces = [Piece(FILE, i, i + 1, 0, f"knocker {i % 10}") for i in range(40)]
    pieces += [Piece(FILE, i, i + 1, 1, f"clicker {i % 5}") for i in range(10)]
    fold_of = fold_of_groups(pieces, 5, 3)
    for fold in range(5):
        own = sorted(group.split()[0] for group, number in fold_of.items() if number == fold)
        assert own == ["clicker", "knocker", "knocker"]
    assert fold_of != fold_of_groups(pieces, 5, 4)


def labels_of(folder: Path, authors: dict[str, int], session: str = "") -> Path:
    """A recording for each author of each class."""
    rows = ["file,start,end,label,author,session"]
    for label, count in authors.items():
        for author in range(count):
            name = f"{label}{author}.wav"
            write_wav(folder / name, noises(1.0))
            rows.append(f"{name},0,16000,{label},{label} {author},{session}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder / "labels.csv"


def test_each_author_is_tried_once_and_learnt_from_otherwise(pipeline: HostPipeline, tmp_path: Path) -> None:
    names = pipeline.spec.decision.labels
    labels = labels_of(tmp_path, dict.fromkeys(names, 4))
    made = make_folds(pipeline, recipe(tmp_path, "[data]\nvalidation = 0.3\n"), Labelled(labels), 4, print)
    tried = [piece for sets in made for piece in sets["test"].pieces]
    assert len(tried) == len(set(tried)) == 4 * len(names) * 2
    for sets in made:
        groups = [{piece.group for piece in sets[name].pieces} for name in ("training", "validation", "test")]
        assert len(set.union(*groups)) == sum(map(len, groups)) == 4 * len(names)
        assert {piece.label for piece in sets["test"].pieces} == set(range(len(names)))
        assert groups[1]


def test_the_test_session_is_no_part_of_the_folds(pipeline: HostPipeline, tmp_path: Path) -> None:
    names = pipeline.spec.decision.labels
    labels = labels_of(tmp_path, dict.fromkeys(names, 2), "train")
    (tmp_path / "test").mkdir()
    other = labels_of(tmp_path / "test", dict.fromkeys(names, 2), "test")
    labels.write_text(
        labels.read_text() + "".join(f"test/{row}\n" for row in other.read_text().splitlines()[1:])
    )
    made = make_folds(pipeline, Recipe(tmp_path / FILE_NAME), Labelled(labels), 2, print)
    files = {piece.file for sets in made for own in sets.values() for piece in own.pieces}
    assert {file.parent.name for file in files} == {tmp_path.name}


def test_a_fold_without_anything_to_learn_a_class_from_is_refused(
    pipeline: HostPipeline, tmp_path: Path
) -> None:
    """Where people have recorded several classes, one of them may be tried while all others watch."""
    first, second, third, fourth = pipeline.spec.decision.labels
    owned = {
        "a": {first: 5, second: 1},
        "b": {first: 5},
        "c": {second: 20, first: 1},
        "d": {second: 20, third: 2},
        "e": {third: 1},
        "f": {fourth: 3},
        "g": {fourth: 3},
    }
    write_wav(tmp_path / "long.wav", noises(90.0))
    rows, at = ["file,start,end,label,author"], 0
    for author, classes in owned.items():
        for label, count in classes.items():
            for _ in range(count):
                rows.append(f"long.wav,{at},{at + 16000},{label},{author}")
                at += 16000
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join(rows) + "\n")
    refused: list[str] = []
    for seed in range(8):
        how = recipe(tmp_path, f"[data]\nsegment = 16000\nvalidation = 0.2\n[fit]\nseed = {seed}\n")
        try:
            made = make_folds(pipeline, how, Labelled(labels), 2, print)
        except UserError as error:
            refused.append(str(error))
            continue
        for sets in made:
            assert {piece.label for piece in sets["training"].pieces} == set(range(4))
    assert refused
    assert all("there is nothing to learn" in text and "fewer folds" in text for text in refused)


def test_folds_that_cannot_be_made_are_refused(pipeline: HostPipeline, tmp_path: Path) -> None:
    names = pipeline.spec.decision.labels
    one, *others = names
    labels = labels_of(tmp_path, {one: 1, **dict.fromkeys(others, 3)})
    plain = Recipe(tmp_path / FILE_NAME)
    with pytest.raises(UserError, match=f"{one} is of 1 authors or recordings"):
        make_folds(pipeline, plain, Labelled(labels), 3, print)
    with pytest.raises(UserError, match="20 folds take 20 authors or recordings, and there are 10"):
        make_folds(pipeline, plain, Labelled(labels), 20, print)
