# SPDX-License-Identifier: Apache-2.0
"""pipeline.toml with [[classifier]]: what each becomes, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.app.spec import Waits, source_names
from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError, UserErrors
from tests.support.pipeline_toml import app_with

FILE = """\
[mfcc]
cepstra = 13
[cascade]
frames = 15

[[classifier]]
name = "voice"
model = "model.tflite"
[classifier.decision]
labels = ["speech"]
threshold = 0.5

[[classifier]]
name = "word"
model = "model.tflite"
rounding = "zero"
waits_for = "voice.speech"
stays = 40
[classifier.cascade]
frames = 30
[classifier.decision]
labels = ["yes", "no"]
threshold = [0.5, 0.9]
"""


def faults(tmp_path: Path, old: str, new: str) -> list[str]:
    """Messages of the file with one thing in it changed, the file's name left away."""
    assert old in FILE
    with pytest.raises(UserError) as caught:
        load_spec(app_with(tmp_path, FILE.replace(old, new, 1)), several=True)
    every = caught.value.errors if isinstance(caught.value, UserErrors) else [caught.value]
    return [f"{fault.place}: {fault.what} {fault.remedy}" for fault in every]


def test_each_classifier_is_read_as_an_app_with_one(tmp_path: Path) -> None:
    spec = load_spec(app_with(tmp_path, FILE), several=True)
    (word,) = spec.others
    assert (spec.name, spec.title, word.name, word.title) == ("door", "voice", "word_of_door", "word")
    assert spec.waits is None
    assert word.waits == Waits("voice.speech", 0, 1, 40)
    assert word.first == "door"
    assert spec.pipeline is not None
    assert word.pipeline is not None
    assert (spec.pipeline.cascade.frames, word.pipeline.cascade.frames) == (15, 30)
    assert spec.pipeline.front_end == word.pipeline.front_end
    assert spec.pipeline.front_end.size == 13
    assert word.pipeline.decision.labels == ("yes", "no")
    assert source_names(spec) == [
        "door.h",
        "door_model.c",
        "word_of_door.h",
        "word_of_door_model.c",
        "door_pipeline.c",
        "app.c",
    ]


def test_one_alone_is_an_app_as_with_single_brackets(tmp_path: Path) -> None:
    first = FILE.split("[[classifier]]")
    spec = load_spec(app_with(tmp_path, first[0] + "[[classifier]]" + first[1]))
    assert spec.others == ()
    assert spec.members == (spec,)


def test_what_works_with_one_refuses_several(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there are 2 classifiers") as caught:
        load_spec(app_with(tmp_path, FILE))
    assert caught.value.place == "line 13, [classifier]"


def test_a_fault_of_one_does_not_move_that_of_another(tmp_path: Path) -> None:
    """The first is not read to its end, and the second has its own line still."""
    text = FILE.replace('model = "model.tflite"', 'model = "gone.tflite"\nengine = "aot"', 1)
    text = text.replace('rounding = "zero"', 'engine = "tflm"')
    with pytest.raises(UserErrors) as caught:
        load_spec(app_with(tmp_path, text), several=True)
    lost = text[: text.index('model = "gone.tflite"')].count("\n") + 1
    engine = text[: text.index('engine = "tflm"')].count("\n") + 1
    assert [fault.place for fault in caught.value.errors] == [
        f"line {lost}, [classifier] model",
        f"line {engine}, [classifier] engine",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "word"\n', "", "line 13, [classifier] name: is missing Each of several classifiers"),
        ('"word"', '"Word"', 'line 14, [classifier] name: found "Word"; a name is a small letter'),
        ('"word"', '"voice"', 'line 14, [classifier] name: "voice" names an earlier classifier'),
        ('"word"', '"gate"', 'line 14, [classifier] name: "gate" is the first word of a setting'),
        ('"voice.speech"', '"word"', 'line 17, [classifier] waits_for: found "word"; "NAME" or "NAME.LABEL"'),
        ('"voice.speech"', '"voice.x"', 'line 17, [classifier] waits_for: "voice" has no label "x"'),
        ("stays = 40\n", "", "line 13, [classifier] stays: is missing Write for how many windows"),
        ("stays = 40", "stays = 0", "line 18, [classifier] stays: found 0; 1..1000000 windows"),
        ('waits_for = "voice.speech"\n', "", "line 17, [classifier] stays: is of a classifier that waits"),
        ("[classifier.cascade]", "[classifier.window]", "line 19, [classifier.window]: is no section"),
        ("frames = 30", "frames = 0", "line 20, [cascade] frames: 0 is out of range"),
        ("frames = 30", "framse = 30", "line 20, [cascade] framse: is unknown Did you mean frames?"),
        ('rounding = "zero"', 'rounding = "down"', 'line 16, [classifier] rounding: found "down"'),
        ('rounding = "zero"', 'engine = "tflm"', "line 16, [classifier] engine: the engine tflm runs one"),
        ("cepstra = 13", "cepstra = 0", "line 2, [mfcc] cepstra: 0 is out of range"),
    ],
)
def test_a_fault_is_told_once_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    (fault,) = faults(tmp_path, old, new)
    assert fault.startswith(said)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    changed = FILE.replace("threshold = 0.5", "threshold = 5").replace("frames = 30", "frames = 0")
    with pytest.raises(UserErrors) as caught:
        load_spec(app_with(tmp_path, changed), several=True)
    assert [fault.place for fault in caught.value.errors] == [
        "line 11, [decision] threshold",
        "line 20, [cascade] frames",
    ]


def test_more_than_sixteen_are_refused(tmp_path: Path) -> None:
    head, first, _ = FILE.split("[[classifier]]")
    many = [f"[[classifier]]{first.replace('voice', f'm{i}')}" for i in range(17)]
    with pytest.raises(UserError, match="there are 17 classifiers; 16 are allowed"):
        load_spec(app_with(tmp_path, head + "".join(many)), several=True)
