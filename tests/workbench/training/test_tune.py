# SPDX-License-Identifier: Apache-2.0
"""tune: its arithmetic against the firmware's C and against plain models, its choice against all choices."""

from __future__ import annotations

import itertools
import json
import shutil
import stat
from collections import Counter, deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.app.spec_file import load_spec
from codegen.app.tables.decision import ANOMALY_NEVER, Score
from codegen.common.errors import UserError
from tests.reference.stages import without_level
from tests.support.cli import earshot, here, refused
from tests.support.tutorial import PIPELINE, noises, tutorial_app, tutorial_library
from workbench.audio.synthesize import write_session, write_wav
from workbench.training import tune
from workbench.training.events import LabelEvents
from workbench.training.pieces import Recording
from workbench.training.settings_file import Values, replaced, threshold_of
from workbench.training.tune import (
    Point,
    Settings,
    Tuner,
    _dealt,
    _Decisions,
    allowed_alarms,
    gate,
    hear,
    hours_needed,
)
from workbench.workers import Opened

EXAMPLE = Path("examples/smart_lock")


@pytest.mark.parametrize(
    ("mean", "allowed"),
    # Upper 95 % limits of a Poisson mean where 0, 1, 2, 10 were counted: 2.996, 4.744, 6.296, 16.962.
    [(2.99, None), (3.0, 0), (4.74, 0), (4.75, 1), (6.29, 1), (6.30, 2), (16.96, 9), (16.97, 10)],
)
def test_how_many_false_alarms_a_rate_allows(mean: float, allowed: int | None) -> None:
    assert allowed_alarms(0.5, mean / 0.5) == allowed
    assert allowed_alarms(mean, 1) == allowed


def test_many_hours() -> None:
    assert hours_needed(0.5) == pytest.approx(5.99, abs=0.01)
    close, far = allowed_alarms(699, 1), allowed_alarms(701, 1)
    assert close is not None
    assert far is not None
    assert close <= far <= close + 4


@given(
    st.lists(st.integers(0, 1000), max_size=60), st.integers(0, 900), st.integers(0, 20), st.integers(0, 5)
)
def test_the_gate_is_the_rule(peaks: list[int], threshold: int, backoff: int, delay: int) -> None:
    passes, held, passing = [], 0, 0
    triggered = False
    for peak in peaks:  # docs/pipeline.md, window by window
        if passing:
            passing -= 1
            passes.append(True)
            continue
        if not triggered and peak > threshold:
            triggered, held = True, 0
        if triggered and held == delay:
            triggered, passing = False, backoff
            passes.append(True)
        else:
            held += triggered
            passes.append(False)
    assert gate(np.array(peaks, np.int64), threshold, backoff, delay).tolist() == passes


@pytest.mark.parametrize("dc_block", [0, 6])
def test_the_gate_is_the_firmware_s(tmp_path: Path, dc_block: int) -> None:
    (tmp_path / "code").mkdir()
    text = PIPELINE.format(classifier="") + f"[audio]\ndc_block = {dc_block}\n" * (dc_block > 0)
    pipeline = tutorial_library(tutorial_app(tmp_path / "door", text=text), tmp_path / "code").pipeline
    assert pipeline is not None
    sound = (noises(6).astype(np.float64) * np.linspace(0, 1, len(noises(6)))).astype(np.int16)
    sound[:400] = 0
    sound[500] = -32768
    heard = hear(Opened(None, pipeline), Recording(tmp_path / "a.wav", sound, ()))
    given = without_level(sound.tolist(), dc_block) if dc_block else sound.tolist()
    loud = [max(abs(x) for x in given[start : start + 400]) for start in range(0, len(given) - 399, 400)]
    assert heard.peaks.tolist() == loud
    for threshold, backoff in ((0, 0), (300, 3), (2000, 14), (9000, 7), (32767, 0)):
        pipeline.configure(threshold, backoff, (77,) * 4, 1)
        _, opened, features = pipeline.features(sound)
        passes = gate(heard.peaks, threshold, backoff, 0)
        assert passes.tolist() == opened.tolist() == pipeline.passing(heard.peaks).tolist()
        assert dc_block or 0 < passes.sum() < len(passes)
        assert (features == heard.features).all()
    with pytest.raises(ValueError, match="votes 11"):
        pipeline.configure(0, 0, (77,) * 4, 11)
    pipeline.start()
    assert pipeline.features(sound)[1].tolist() == gate(heard.peaks, 600, 14, 0).tolist()
    pipeline.open_gate()
    assert pipeline.features(sound)[1].all()


def test_what_is_chosen_is_tried_in_the_firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate or a decision that were computed otherwise than the C has them do not pass."""
    (tmp_path / "code").mkdir()
    pipeline = tutorial_library(tutorial_app(tmp_path / "door"), tmp_path / "code").pipeline
    assert pipeline is not None
    heard = [hear(Opened(None, pipeline), Recording(tmp_path / "a.wav", noises(6), ()))]
    own = Settings(600, 14, 3, (40, 40, 40, 40))
    events = Tuner(pipeline, heard, unlabelled=True).settled(own)
    assert events.false_alarms > 0
    assert Tuner(pipeline, heard, unlabelled=True, memory=True).settled(own).object() == events.object()
    monkeypatch.setattr(tune, "gate", lambda *given: np.roll(gate(*given), 1))
    with pytest.raises(AssertionError, match=r"gate\.c and tune differ"):
        Tuner(pipeline, heard, unlabelled=True).settled(own)


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=25), max_size=4),
    st.integers(1, 10),
    st.integers(0, 10),
)
def test_votes_are_the_rule(recordings: list[list[tuple[int, int]]], votes: int, limit: int) -> None:
    rows: list[tuple[int, int, int]] = []
    expected = []
    order = 0
    for number, recording in enumerate(recordings):
        last: deque[int] = deque(maxlen=votes)
        for window, (best, score) in enumerate(recording):
            start = 1000 * number + window
            last.append(best + 1 if score >= limit else 0)
            class_index, count = Counter(last).most_common(1)[0]
            if class_index == 2 and 2 * count > votes:
                expected.append(start)
            rows.append((start, order + window, best * 100 + score))
        order += len(recording) + 10
    table = np.array(rows, np.int64).reshape(-1, 3)
    quiet = np.zeros(len(table), np.bool_)
    decisions = _Decisions(table[:, 0], table[:, 1], table[:, 2] // 100, table[:, 2] % 100, quiet)
    assert decisions.accepted(1, limit, votes).tolist() == expected


def curve_of(counts: list[tuple[int, int]], name: str) -> tuple[Point, ...]:
    """(false alarms, missed) of 20 events at rising limits; the last one never accepts."""
    return tuple(
        Point(limit, LabelEvents(name, 20 - missed, missed, 0, 0, 0, alarms, ()))
        for limit, (alarms, missed) in enumerate([*counts, (0, 20)])
    )


@settings(max_examples=60)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 20)), max_size=5), min_size=1, max_size=3),
    st.integers(0, 8),
)
def test_false_alarms_are_dealt_out_as_well_as_can_be(
    counts: list[list[tuple[int, int]]], allowed: int
) -> None:
    names = [f"label {number}" for number in range(len(counts))]
    curves = {name: curve_of(own, name) for name, own in zip(names, counts, strict=True)}
    cost, limits = _dealt(curves, allowed, (99,) * len(counts), names)
    possible = [
        sum(point.cost for point in points)
        for points in itertools.product(*curves.values())
        if sum(point.alarms for point in points) <= allowed
    ]
    assert cost == pytest.approx(min(possible))
    chosen = [curve[limit] for curve, limit in zip(curves.values(), limits, strict=True)]
    assert sum(point.alarms for point in chosen) <= allowed
    assert sum(point.cost for point in chosen) == pytest.approx(cost)


def test_a_label_without_events_keeps_its_threshold() -> None:
    assert _dealt({"b": curve_of([], "b")}, 0, (5, 6), ("a", "b"))[1] == (5, 0)
    # Of "a" it is known what is false alone: at its limits 40, 50, 60 and never.
    bare = tuple(
        Point(limit, LabelEvents("a", 0, 0, 0, 0, confused, alarms, ()))
        for limit, alarms, confused in ((40, 6, 9), (50, 2, 9), (60, 0, 4), (128, 0, 0))
    )
    for own, allowed, wanted in ((50, 2, 50), (50, 1, 60), (60, 0, 60), (40, 3, 50), (128, 9, 128)):
        curves = {"a": bare, "b": curve_of([(0, 3)], "b")}
        assert _dealt(curves, allowed, (own, 7), ("a", "b")) == (3 / 20, (wanted, 0)), (own, allowed)


@pytest.mark.parametrize(("scale", "zero_point"), [(1 / 256, -128), (0.1, 3), (0.00390625, -128)])
def test_a_threshold_accepts_from_its_score_on(scale: float, zero_point: int) -> None:
    for limit in range(max(-128, zero_point), 128):
        share = threshold_of(limit, Score(Fraction(scale), zero_point))
        if limit - zero_point <= 1 / scale:
            assert Score(Fraction(scale), zero_point).limit(Fraction(share)) == limit
    never = Score(Fraction(1, 256), -128)
    assert never.limit(Fraction(threshold_of(128, never))) == 128


@pytest.mark.parametrize("limit", [0, 1, 127, 128, 129, 7000, ANOMALY_NEVER - 1, ANOMALY_NEVER])
def test_an_error_s_threshold_accepts_from_it_on(limit: int) -> None:
    """Errors of an anomaly go far beyond what a score can be."""
    score = Score(Fraction(1, 512), 0, ANOMALY_NEVER)
    assert score.limit(Fraction(threshold_of(limit, score))) == limit


# The file

TOML = """\
# An app.
[gate]      # opens
threshold = 600  # loud
[decision]
labels = ["a", "b"]
threshold = [
    0.80,  # a
    0.5,
]
"""


def test_only_what_changes_is_written(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text(TOML)
    values: Values = {
        ("gate", "threshold"): 700,
        ("gate", "backoff"): 3,
        ("decision", "threshold"): [Decimal("0.75"), Decimal("0.5")],
    }
    text = replaced(file, values, "# earshot tune: from somewhere")
    assert text == (
        "# An app.\n[gate]      # opens\n# earshot tune: from somewhere\n"
        "threshold = 700  # loud\nbackoff = 3\n"
        '[decision]\n# earshot tune: from somewhere\nlabels = ["a", "b"]\nthreshold = [0.75, 0.5]\n'
    )
    file.write_text(text)
    assert replaced(file, values, "# earshot tune: again") == text
    again = replaced(file, {("gate", "backoff"): 5}, "# earshot tune: again")
    assert "tune: from somewhere\nlabels" in again
    assert "# opens\n# earshot tune: again\nthreshold = 700" in again


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_mark_at_the_start_stay(tmp_path: Path, mark: str) -> None:
    file = tmp_path / "pipeline.toml"
    values: Values = {("gate", "backoff"): 3, ("decision", "votes"): 5, ("scale", "minimum"): -1}
    file.write_bytes((mark + TOML.replace("\n", "\r\n")).encode())
    written = replaced(file, values, "# earshot tune: x")
    file.write_bytes(TOML.encode())
    assert written == mark + replaced(file, values, "# earshot tune: x").replace("\n", "\r\n")


def test_sections_that_are_not_there(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text('[decision]\nlabels = ["a"]\n\n[classifier]\nmodel = "m"')
    text = replaced(file, {("decision", "votes"): 3, ("gate", "threshold"): 9}, "# earshot tune: x")
    assert text == (
        '[decision]\n# earshot tune: x\nlabels = ["a"]\nvotes = 3\n\n[classifier]\nmodel = "m"\n\n'
        "[gate]\n# earshot tune: x\nthreshold = 9\n"
    )


SEVERAL = """\
[decision]
votes = 1
[[classifier]]
name = "a"
[classifier.decision]
threshold = 0.5
[[classifier]]
name = "b"
[classifier.cascade]
frames = 3
[classifier.decision]  # its own
threshold = 0.6
[device]
capture = true
"""


def test_of_several_classifiers_one_is_written(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text(SEVERAL)
    values: Values = {("decision", "threshold"): [Decimal("0.7")], ("decision", "votes"): 3}
    first = replaced(file, values, "# earshot tune: x", 0)
    assert first == SEVERAL.replace("threshold = 0.5", "# earshot tune: x\nthreshold = [0.7]\nvotes = 3")
    second = replaced(file, values, "# earshot tune: x", 1)
    assert second == SEVERAL.replace("threshold = 0.6", "# earshot tune: x\nthreshold = [0.7]\nvotes = 3")
    file.write_text(SEVERAL.replace("[classifier.decision]\n", ""))
    with pytest.raises(
        UserError,
        match=r"its \[decision\] is of several .*\n.*Copy it .*as \[classifier.decision\], with threshold = ",
    ):  # alone it would take the labels away
        replaced(file, values, "# earshot tune: x", 0)
    commented = SEVERAL.replace("[[classifier]]", "[[classifier]]  # a = b")
    file.write_text(commented)
    first = replaced(file, values, "# earshot tune: x", 0)
    assert first == commented.replace("threshold = 0.5", "# earshot tune: x\nthreshold = [0.7]\nvotes = 3")
    dotted = SEVERAL.replace("[classifier.decision]  # its own\nthreshold = 0.6\n", "")
    file.write_text(dotted.replace('name = "b"', 'name = "b"\ndecision.threshold = 0.6'))
    with pytest.raises(UserError, match="cannot be edited here"):
        replaced(file, values, "# earshot tune: x", 1)


@pytest.mark.parametrize(
    "text",
    [
        "gate = { threshold = 600 }\n",
        "gate.threshold = 600\n",
        '"gate" = {}\n',
        "[ 'gate' ]\nthreshold = 1\n",
    ],
)
def test_what_cannot_be_edited_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text(text)
    with pytest.raises(UserError, match=r"\[gate\] threshold = 700"):
        replaced(file, {("gate", "threshold"): 700}, "# earshot tune: x")


# The command


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_session(tmp_path_factory.mktemp("sounds"), 3, recordings=2, count=3, session="train")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("night") / "night.wav"
    write_wav(file, np.random.default_rng(7).normal(0, 1200, 40 * 16_000).astype(np.int16))
    return file


def test_command(sounds: Path, night: Path, tmp_path: Path) -> None:
    app = tmp_path / "lock"
    shutil.copytree(EXAMPLE, app)
    words = ("tune", "--app", app, "--labels", sounds, "--background", night)
    message = refused(*words)
    assert "too short to state fewer than 0.5 false alarms an hour: that takes 6.0 h without one" in message
    assert f"{sounds}: 46 s of background" in message
    assert "Fewer than 237 an hour can be stated of what there is: --false-alarms 237." in message
    played = ("evaluate", "--app", app, "--labels", sounds, "--background", night, "--stream", "--json")
    before = json.loads(earshot(*played).stdout)["events"]
    file = tmp_path / "shared.toml"  # a link and its file's rights stay
    (app / "pipeline.toml").chmod(0o640)
    (app / "pipeline.toml").rename(file)
    (app / "pipeline.toml").symlink_to(file)

    more = ("--false-alarms", "237", "--write", "--json", "--plot", tmp_path / "curve.png")
    done = earshot(*words, *more)
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    assert reported["hours"] == pytest.approx(46 / 3600)
    assert reported["allowed"] == 0
    assert reported["after"]["background"]["false_alarms"] == 0
    assert reported["after"]["mean_found"] >= reported["before"]["mean_found"]
    assert set(reported["curves"]) == {"keyboard_typing", "knocking", "mouse_click"}
    assert (tmp_path / "curve.png").stat().st_size > 1000
    text = file.read_text()
    assert (
        "# earshot tune: labels.csv, fewer than 237 false alarms an hour; on what it was chosen from" in text
    )
    assert "# samples: 25 ms" in text
    assert (app / "pipeline.toml").is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    chosen = load_spec(app).pipeline
    assert chosen is not None
    assert chosen.gate.threshold == reported["chosen"]["gate"]["threshold"]
    shares = [float(share) for share in chosen.decision.thresholds]
    assert shares == reported["chosen"]["decision"]["threshold"]

    # What the app decides now, and did before, is what an image decides.
    assert before == reported["before"]
    assert json.loads(earshot(*played).stdout)["events"] == reported["after"]


def test_command_chooses_on_what_is_held_back(sounds: Path, night: Path, tmp_path: Path) -> None:
    app = tmp_path / "lock"
    shutil.copytree(EXAMPLE, app)
    (app / "training.toml").write_text("[data]\nvalidation = 0.5\n")
    words = (
        "tune",
        "--app",
        app,
        "--labels",
        sounds,
        "--background",
        night,
        "--false-alarms",
        "500",
        "--json",
    )
    whole, part = (json.loads(earshot(*words, *more).stdout) for more in ((), ("--held-back",)))
    assert (app / "pipeline.toml").read_bytes() == (EXAMPLE / "pipeline.toml").read_bytes()  # no --write
    events = [[one["found"] + one["missed"] for one in made["after"]["labels"]] for made in (whole, part)]
    assert events == [[6, 6, 6], [3, 3, 3]]  # two recordings of a class; one of each is held back
    (app / "training.toml").write_text("[data]\nvalidation = 0\n")
    assert "the training holds nothing back" in refused(*words, "--held-back")
    assert "name two sets of sounds" in refused(*words, "--held-back", "--session", "train")
    assert "is for --held-back alone" in refused(*words, "--test", sounds)


def test_command_refuses(sounds: Path) -> None:
    words = ("tune", "--app", EXAMPLE, "--labels", sounds)
    assert "the test session is for `evaluate` alone" in refused(*words, "--session", "test")
    assert "--false-alarms 0 is out of range" in refused(*words, "--false-alarms", "0")
    assert "is no picture by its name" in refused(*words, "--plot", "curve.txt")
    assert "there is no such recording or folder" in refused(*words, "--background", sounds.parent / "none")


@pytest.mark.parametrize("line", ["mean = 3", "suppress = 20"])
def test_what_is_not_taken_into_account_is_refused(
    sounds: Path, tmp_path: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = tmp_path / "lock"
    shutil.copytree(EXAMPLE, app)
    file = app / "pipeline.toml"
    file.write_text(file.read_text().replace("votes = 1", f"votes = 1\n{line}"))
    assert here("tune", "--app", app, "--labels", sounds, "--false-alarms", "300") == 2
    message = capsys.readouterr().err
    assert message.startswith(f"{file}, [decision] {line.split(maxsplit=1)[0]}: ")
    assert "`earshot evaluate --threshold P" in message
