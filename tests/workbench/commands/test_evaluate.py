# SPDX-License-Identifier: Apache-2.0
"""evaluate: its arithmetic against tables made by hand, its decisions against the reference interpreter."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from codegen.common.errors import UserError
from tests.support.cli import earshot, refused
from tests.support.tutorial import noises, tutorial_app, tutorial_library
from workbench.audio.synthesize import write_session, write_wav
from workbench.data.labels import Segment
from workbench.host.host_library import HostLibrary
from workbench.training.confusion import UNCERTAIN, Confusion, balanced, confusion
from workbench.training.evaluation import counted, vector_pairs
from workbench.training.pieces import cut, recordings, shortest
from workbench.training.plot import plot
from workbench.verify.reference import ReferenceInterpreter
from workbench.workers import Here, Opened

EXAMPLE = Path("examples/smart_lock")
LABELS = ("key_io", "knocking", "locking", "unknown")

# Fits what SensiML's tutorial prints of its own: Sens 81.0 / 100 / 91.0 / 100, Acc 93.0, UNK 52 of 840.
TUTORIAL = Confusion(
    LABELS,
    ((170, 0, 7, 0, 33, 0), (0, 210, 0, 0, 0, 0), (0, 0, 191, 0, 19, 0), (0, 0, 0, 210, 0, 0)),
)


def test_the_tutorial_s_table() -> None:
    assert TUTORIAL.support == (210, 210, 210, 210)
    assert [f"{100 * (share or 0):.1f}" for share in TUTORIAL.sensitivity] == [
        "81.0",
        "100.0",
        "91.0",
        "100.0",
    ]
    assert sum(row[-2] for row in TUTORIAL.counts) == 52
    assert TUTORIAL.accuracy == pytest.approx(781 / 840)
    assert TUTORIAL.positive_predictivity == (1.0, 1.0, 191 / 198, 1.0)


def test_printed_table() -> None:
    assert TUTORIAL.table() == (
        "            key_io  knocking  locking  unknown  UNK  UNC  Support  Sens(%)\n"
        "key_io         170         0        7        0   33    0      210     81.0\n"
        "knocking         0       210        0        0    0    0      210    100.0\n"
        "locking          0         0      191        0   19    0      210     91.0\n"
        "unknown          0         0        0      210    0    0      210    100.0\n"
        "Total          170       210      198      210   52    0      840\n"
        "PosPred(%)   100.0     100.0     96.5    100.0             Acc(%)     93.0"
    )


def test_below_the_threshold_is_right_for_the_class_unknown_alone() -> None:
    table = confusion(("a", "unknown"), [(0, 1), (0, 0), (1, 0), (1, 0), (1, 2), (1, 1)])
    assert table.counts == ((1, 0, 1, 0), (1, 1, 2, 0))
    assert table.sensitivity == (1 / 2, 3 / 4)
    assert table.positive_predictivity == (1 / 2, 1.0)
    assert table.accuracy == 4 / 6
    assert confusion(("a", "b"), [(0, 1), (1, 0), (1, 0)]).accuracy == 1 / 3


def test_no_majority_is_a_column_of_its_own() -> None:
    table = confusion(("a", "unknown"), [(0, 1), (0, UNCERTAIN), (1, UNCERTAIN), (1, 1)])
    assert table.counts == ((1, 0, 0, 1), (1, 0, 0, 1))
    assert table.sensitivity == (1 / 2, 1 / 2)
    assert "UNK  UNC  Support" in table.table()
    assert table.object()["columns"] == ["a", "unknown", "UNK", "UNC"]


def test_the_mean_of_the_sensitivities_does_not_flatter() -> None:
    """76 of 100 decisions are of noise: one that says Unknown whatever it hears has 76 % right, and knows
    nothing."""
    pairs = [(0, 0)] * 12 + [(1, 0)] * 12 + [(2, 0)] * 76
    silent = confusion(("a", "b", "unknown"), pairs)
    assert silent.accuracy == 0.76
    assert silent.mean_sensitivity == pytest.approx(1 / 3)
    good = confusion(("a", "b", "unknown"), [(0, 1)] * 12 + [(1, 2)] * 12 + [(2, 3)] * 76)
    assert good.mean_sensitivity == 1
    assert good.always_unknown[0] == pytest.approx(1 / 3)
    assert good.always_unknown[1] == 0.76
    assert confusion(("a", "b"), [(0, 1)]).mean_sensitivity == 1.0  # of what there was
    assert confusion(("a",), []).mean_sensitivity is None


def test_balanced_draws_every_class_down_to_the_smallest() -> None:
    pairs = [(0, 1)] * 5 + [(1, 2)] * 30 + [(1, 0)] * 30 + [(2, 3)] * 500
    table = balanced(("a", "b", "c", "d"), pairs, 1)
    assert table.support == (5, 5, 5, 0)
    assert (table.counts[0][0], table.counts[2][2]) == (5, 5)
    assert table == balanced(("a", "b", "c", "d"), pairs, 1)
    drawn = {balanced(("a", "b", "c", "d"), pairs, seed).counts[1][1] for seed in range(20)}
    assert len(drawn) > 1
    assert balanced(("a",), [], 1).support == (0,)


def test_nothing_to_divide_by() -> None:
    table = confusion(("a", "b"), [(0, 1)])
    assert table.sensitivity == (1.0, None)
    assert table.positive_predictivity == (1.0, None)
    assert confusion(("a",), []).accuracy is None
    assert table.table().splitlines()[2].split() == ["b", "0", "0", "0", "0", "0", "-"]


def test_a_class_index_that_is_none() -> None:
    with pytest.raises(ValueError, match="class index 3 of 2 labels"):
        confusion(("a", "b"), [(0, 3)])


def test_a_plot_is_what_its_name_says(tmp_path: Path) -> None:
    starts = {"png": b"\x89PNG\r\n\x1a\n", "SVG": b"<?xml", "pdf": b"%PDF"}
    for suffix, start in starts.items():
        file = tmp_path / f"table.{suffix}"
        plot({"vectors": TUTORIAL}, file)
        content = file.read_bytes()
        assert content.startswith(start)
        plot({"vectors": TUTORIAL}, file)
        assert file.read_bytes() == content
    svg = (tmp_path / "table.SVG").read_text(encoding="utf-8")
    for words in ("UNK: below threshold", "93.0 % of 840 vectors are right", "81 %", "16 %", "truth"):
        assert f"<!-- {words} -->" in svg
    with pytest.raises(UserError, match="is no picture by its name"):
        plot({"vectors": TUTORIAL}, tmp_path / "table.txt")
    with pytest.raises(UserError, match="cannot be written"):
        plot({"vectors": TUTORIAL}, tmp_path / "none" / "table.png")


# Decisions of a real network: the tutorial's with random weights


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tutorial_app(tmp_path_factory.mktemp("evaluate") / "door")


@pytest.fixture(scope="module")
def loaded(app: Path, tmp_path_factory: pytest.TempPathFactory) -> HostLibrary:
    return tutorial_library(app, tmp_path_factory.mktemp("code"))


def test_decisions_are_the_reference_interpreter_s(loaded: HostLibrary, app: Path, tmp_path: Path) -> None:
    pipeline = loaded.pipeline
    assert pipeline is not None
    sound = noises(12)
    write_wav(tmp_path / "a.wav", sound)
    segments = (
        Segment(tmp_path / "a.wav", 0, 90_000, "knocking"),
        Segment(tmp_path / "a.wav", 100_000, 107_999, "x", "unknown"),
        Segment(tmp_path / "a.wav", 150_000, 155_999, "locking"),  # one sample short of a vector
    )
    pieces = cut(segments, LABELS, 8000, shortest(pipeline.spec))
    task = partial(vector_pairs, (77,) * 4, None)
    made = Here(Opened(None, pipeline)).map(task, recordings(pieces, segments, 16000), 1)
    table = counted(LABELS, [pair for own in made for pair in own])

    # 90,000 samples are 11 pieces of 8000 with 6 vectors each, and 2000 left over; 7999 have 5 vectors.
    assert table.support == (0, 66, 0, 5)
    expected = np.zeros((4, 6), int)
    with ReferenceInterpreter(app / "model.tflite") as reference:
        for truth, starts, length in ((1, range(0, 88_000, 8000), 8000), (3, [100_000], 7999)):
            for start in starts:
                _, _, features = pipeline.features(sound[start : start + length])
                for first in range(len(features) - 14):
                    tensor = features[first : first + 15].astype(np.int16) - 128
                    scores = reference.run(tensor.astype(np.int8)[np.newaxis])[0].reshape(-1)
                    # 0.80 of 256 steps from -128: 205 steps, a score of 77.
                    decided = int(scores.argmax()) if scores.max() >= 77 else 4
                    expected[truth, decided] += 1
    assert [list(row) for row in table.counts] == expected.tolist()
    assert np.count_nonzero(expected) > 3


def test_classify_is_what_the_open_gate_decides(loaded: HostLibrary) -> None:
    pipeline = loaded.pipeline
    assert pipeline is not None
    sound = np.random.default_rng(3).integers(-9000, 9000, 20_000).astype(np.int16)  # opens in every window
    streamed = [(step.class_index, step.score) for step in pipeline.steps(sound) if step.decided]
    _, _, features = pipeline.features(sound)
    assert pipeline.classify(features) == streamed
    assert len(streamed) == 50 - 14


def test_a_lower_threshold_leaves_nothing_unknown(loaded: HostLibrary) -> None:
    pipeline = loaded.pipeline
    assert pipeline is not None
    _, _, features = pipeline.features(noises(10))
    assert {index for index, score in pipeline.classify(features) if score < 77} == {0}
    pipeline.set_threshold(-128)
    assert 0 not in {index for index, _ in pipeline.classify(features)}
    pipeline.set_threshold(128)
    assert {index for index, _ in pipeline.classify(features)} == {0}
    with pytest.raises(ValueError, match="score limit of 129"):
        pipeline.set_threshold(129)
    pipeline.start()
    assert len({index for index, _ in pipeline.classify(features)}) > 1


# The command


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_session(tmp_path_factory.mktemp("sounds"), 41, recordings=1, count=2, session="test")


def test_command(sounds: Path, tmp_path: Path) -> None:
    words = ("evaluate", "--app", EXAMPLE, "--labels", sounds)
    decided = tmp_path / "decided.csv"
    done = earshot(*words, "--json", "--plot", tmp_path / "table.png", "--decided", decided)
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    # 2 segments of 8000 samples: 6 vectors each; 2 s of noise are cut into 4 of them.
    assert reported["support"] == [12, 12, 12, 24]
    assert [sum(row) for row in reported["confusion"]] == reported["support"]
    assert reported["labels"] == ["keyboard_typing", "knocking", "mouse_click", "unknown"]
    assert reported["accuracy"] > 0.5
    assert (tmp_path / "table.png").stat().st_size > 1000
    printed = earshot(*words)
    lines = printed.stdout.splitlines()
    assert lines[0] == "By events: whole recordings, with the gate (pc)"
    assert lines[1].startswith("Mean of the sensitivities")
    assert lines[2].startswith("Events                      6: ")
    assert lines[-1].startswith("PosPred(%)")  # with the plain accuracy
    assert [sum(row) for row in reported["events"]["table"]["confusion"]] == [2, 2, 2, 1]
    with decided.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    found = [(Path(row["file"]).name, int(row["start"]), int(row["end"]), row["label"]) for row in rows]
    labelled = [line.split(",") for line in (sounds.read_text()).splitlines()[1:]]
    assert sorted(found) == sorted((row[0], int(row[1]), int(row[2]), row[3]) for row in labelled)
    counted = Counter((row["label"], row["decided"]) for row in rows)
    table = reported["events"]["table"]
    assert table["confusion"] == [
        [counted[row, column] for column in table["columns"]] for row in table["labels"]
    ]
    assert "session test: 7 segments" in printed.stderr
    assert "UNK: no class reached its threshold. The app's class unknown says the same" in printed.stderr


def test_stream_is_the_image_with_its_gate(sounds: Path) -> None:
    words = ("evaluate", "--app", EXAMPLE, "--labels", sounds, "--stream")
    done = earshot(*words, "--json")
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    # Vectors within the segments, counted from the recording's start: what the gate kept from being decided
    # counts, too. 2 s of noise are 80 windows: 66 vectors.
    assert reported["support"][3] == 66
    assert 5 * 2 <= reported["support"][1] <= 6 * 2
    open_gate = json.loads(earshot(*words, "--json", "--no-gate").stdout)
    assert open_gate["support"] == reported["support"]
    assert open_gate["confusion"] != reported["confusion"]


def test_a_gate_that_never_opens_misses_everything(sounds: Path, tmp_path: Path) -> None:
    deaf = tmp_path / "deaf"
    shutil.copytree(EXAMPLE, deaf)
    toml = (deaf / "pipeline.toml").read_text()
    (deaf / "pipeline.toml").write_text(toml.replace("threshold = 600 ", "threshold = 32767 "))
    done = earshot("evaluate", "--app", deaf, "--labels", sounds, "--json", "--stream")
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    events = reported["events"]
    assert (events["found"], events["missed"], events["gate_shut"]) == (0, 6, 6)
    assert (events["mean_found"], events["false_alarms"], events["latency_ms"]) == (0, 0, None)
    assert reported["sensitivity"] == [0, 0, 0, 1]
    assert reported["mean_sensitivity"] == 0.25
    assert reported["accuracy"] > 0.6  # which says nothing
    printed = earshot("evaluate", "--app", deaf, "--labels", sounds, "--stream").stdout
    assert "6: 0 heard, 6 missed (6 of them with the gate shut), 0 heard twice or more" in printed
    words = ("evaluate", "--app", deaf, "--labels", sounds, "--stream", "--no-gate", "--json")
    opened = json.loads(earshot(*words).stdout)
    (deaf / "pipeline.toml").write_text(toml.replace("delay = 0", "delay = 60"))
    assert json.loads(earshot(*words).stdout) == opened  # no window is held back
    assert opened["events"]["gate_shut"] == 0


def test_pc_and_qemu_stand_side_by_side(sounds: Path, tmp_path: Path) -> None:
    quiet = tmp_path / "night.wav"
    write_wav(quiet, (np.random.default_rng(5).normal(0, 900, 4 * 16_000)).astype(np.int16))
    words = ("evaluate", "--app", EXAMPLE, "--labels", sounds, "--target", "pc,qemu", "--background", quiet)
    done = earshot(*words, "--json")
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    assert reported["same"] == {"qemu": True}
    assert reported["targets"]["pc"] == reported["targets"]["qemu"]
    events = reported["events"]
    assert events["found"] + events["missed"] == 6
    # Six segments of half a second, 2 s of noise, and the background's 4 s; no other sound is judged.
    assert events["hours"] == pytest.approx((6 * 0.5 + 2 + 4) / 3600)
    assert events["background"]["hours"] == pytest.approx((2 + 4) / 3600)
    printed = earshot(*words, "--balance").stdout
    assert "Side by side, the played recordings:" in printed
    assert "12 of every class drawn at random" in printed


def test_votes_without_a_majority_are_uncertain(sounds: Path, tmp_path: Path) -> None:
    voting = tmp_path / "voting"
    shutil.copytree(EXAMPLE, voting)
    toml = (voting / "pipeline.toml").read_text().replace("threshold = 0.80", "threshold = [0, 0, 0.1, 0]")
    (voting / "pipeline.toml").write_text(toml.replace("votes = 1", "votes = 9"))
    reported = json.loads(earshot("evaluate", "--app", voting, "--labels", sounds, "--json").stdout)
    # 9 votes: of a segment's 6 vectors the first 4 cannot have a majority of 5; nothing is below 0.1.
    assert reported["columns"][-2:] == ["UNK", "UNC"]
    counts = np.array(reported["confusion"])
    assert counts[:, -2].sum() == 0
    assert (counts[:, -1] >= np.array([4 * 2, 4 * 2, 4 * 2, 4 * 4])).all()
    stream = json.loads(earshot("evaluate", "--app", voting, "--labels", sounds, "--json", "--stream").stdout)
    assert np.array(stream["confusion"])[:, -1].sum() > 0
    # What a mean, or the quiet after a detection, makes Unknown has not reached its threshold.
    for line in ("mean = 4", "suppress = 9"):
        text = toml.replace("[0, 0, 0.1, 0]", "0.9").replace("votes = 1", f"votes = 9\n{line}")
        (voting / "pipeline.toml").write_text(text)
        done = earshot("evaluate", "--app", voting, "--labels", sounds, "--json")
        reported = json.loads(done.stdout)
        for table in (reported, reported["targets"]["pc"]["stream"]):
            assert np.array(table["confusion"])[:, -1].sum() == 0


def test_recordings_of_another_kind(sounds: Path, tmp_path: Path) -> None:
    """The same sounds at three times the rate, on the left of two channels, in 24 bits: the same segments."""
    name = "test_knocking_00.wav"
    samples, _ = soundfile.read(sounds.parent / name)
    fast = soxr.resample(samples, 16_000, 48_000, quality="VHQ")
    soundfile.write(tmp_path / name, np.stack([fast, -fast], axis=1), 48_000, subtype="PCM_24")
    labels = tmp_path / "labels.csv"
    labels.write_text(f"file,start,end,label\n{name},48000,{48_000 + 3 * 8000},Knocking\n")
    words = ("evaluate", "--app", EXAMPLE, "--labels", labels, "--json")
    message = refused(*words)
    assert "Add --resample --mix-down --convert" in message
    assert "its channels cancel each other" in refused(*words, "--resample", "--mix-down", "--convert")
    done = earshot(*words, "--resample", "--channel", "left", "--convert")
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    left = soundfile.read(tmp_path / name)[0][:, 0] * 32768
    slow = np.rint(soxr.resample(left, 48_000, 16_000, quality="VHQ")).astype(np.int16)
    soundfile.write(tmp_path / "slow.wav", slow, 16_000)
    labels.write_text("file,start,end,label\nslow.wav,16000,24000,knocking\n")
    plain = earshot(*words)
    assert reported == json.loads(plain.stdout)
    assert reported["support"] == [0, 6, 0, 0]


def test_command_refuses(sounds: Path, tmp_path: Path) -> None:
    words = ("evaluate", "--app", EXAMPLE, "--labels", sounds)
    assert 'no segment is of session "night"' in refused(*words, "--session", "night")
    assert "--threshold 80 is no share; 0..1" in refused(*words, "--threshold", "80")
    assert "--threshold much is no share" in refused(*words, "--threshold", "much")
    assert "names no target, or one twice" in refused(*words, "--target", "pc,pc")
    assert "there is no such recording or folder" in refused(*words, "--background", tmp_path / "none")
    assert "this folder has no recording" in refused(*words, "--background", tmp_path)
    assert "has labels, so it is no background" in refused(*words, "--background", sounds.parent)
    (tmp_path / "link.wav").symlink_to(sounds.parent / "test_knocking_00.wav")
    assert "link.wav: has labels, so" in refused(*words, "--background", tmp_path, "--session", "test")
    (tmp_path / "link.wav").unlink()
    assert "--segment 0 is out of range" in refused(*words, "--segment", "0")
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "pipeline.toml").write_text('[classifier]\nmodel = "model.tflite"\n')
    (bare / "model.tflite").write_bytes((EXAMPLE / "model.tflite").read_bytes())
    assert "is a bare model" in refused("evaluate", "--app", bare, "--labels", sounds)


def test_segments_that_give_nothing(sounds: Path) -> None:
    short = sounds.parent / "short.csv"
    short.write_text("file,start,end,label\ntest_knocking_00.wav,0,5999,knocking\n")
    message = refused("evaluate", "--app", EXAMPLE, "--labels", short)
    assert "no segment is as long as one decision, 6000 samples" in message
    short.write_text("file,start,end,label\ntest_knocking_00.wav,0,8000000,knocking\n")
    message = refused("evaluate", "--app", EXAMPLE, "--labels", short)
    assert f"{short}, line 2: the segment ends at sample 8000000, its recording at 56000" in message
