# SPDX-License-Identifier: Apache-2.0
"""Robot suites of an app: which recordings and cases they have, and what runs them."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

import numpy as np
import pytest

from codegen.app.spec import Cascade, Gate, Window
from codegen.app.spec_file import load_spec
from codegen.board.description import load_board
from codegen.board.renode import Renode
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.emit.suite import robot_word
from tests.reference.stages import decided_windows as described_windows
from tests.reference.stages import gate_flags
from tests.support.cli import refused
from tests.support.tutorial import BARE, tutorial_app
from toolbox.options import EXAMPLE
from workbench.audio.synthesize import write_wav
from workbench.data.labels import Segment
from workbench.suites import cases_decision, cases_gate, emulator
from workbench.suites.context import Context
from workbench.suites.recordings import Recording, choose, drawn, synthesised
from workbench.suites.settings import KEYS, Settings, read_settings
from workbench.suites.sounds import Maker

# suites.toml


def settings_of(folder: Path, text: str) -> Settings:
    (folder / "suites.toml").write_text(text)
    return read_settings(folder)


def test_every_key_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDS", "/sounds")
    text = """[recordings]
files = ["$SOUNDS/*.wav", "door.wav"]
labels = "$SOUNDS/labels.csv"
session = "evening"
count = 7
synthetic = true
long = 90
"""
    found = settings_of(tmp_path, text)
    assert found == Settings(
        tmp_path / "suites.toml",
        ("/sounds/*.wav", "door.wav"),
        Path("/sounds/labels.csv"),
        "evening",
        7,
        True,
        90,
    )


def test_recordings_are_looked_for_where_they_lie_mostly(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == Settings(tmp_path, synthetic=True)
    (tmp_path / "recordings").mkdir()
    assert read_settings(tmp_path) == Settings(tmp_path, files=("recordings/*",))
    (tmp_path / "recordings" / "labels.csv").touch()
    assert read_settings(tmp_path) == Settings(tmp_path, labels=tmp_path / "recordings" / "labels.csv")


@pytest.mark.parametrize(
    ("line", "reported"),
    [
        ("cuont = 3", "Did you mean count?"),
        ("count = 0", "a whole number from 1 to 1000"),
        ("count = true", "a whole number"),
        ('files = "door.wav"', "a list of texts"),
        ("labels = 3", "must be text"),
        ('synthetic = "yes"', "true or false"),
        ("long = 86401", "86400"),
        ('labels = "$NO_SUCH_NAME/labels.csv"', "the environment has no NO_SUCH_NAME"),
    ],
)
def test_a_mistake_is_reported_with_its_line(tmp_path: Path, line: str, reported: str) -> None:
    with pytest.raises(UserError) as caught:
        settings_of(tmp_path, f"[recordings]\n{line}\n")
    assert reported in str(caught.value)
    assert "line 2" in str(caught.value)


def test_another_section_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is unknown"):
        settings_of(tmp_path, "[sounds]\n")


def test_the_page_tells_every_key() -> None:
    page = (ROOT / "docs" / "emulation.md").read_text()
    for key in KEYS:
        assert f"| `{key}` |" in page


# Recordings


def test_recordings_are_drawn_in_turn_one_of_each_class() -> None:
    segments = [
        Segment(Path(f"{label}{n}"), 0, 1, label) for label in "abc" for n in range({"a": 5}.get(label, 2))
    ]
    segments.insert(0, Segment(Path("a0"), 5, 6, "b"))
    found = drawn(segments, 6)
    classes = [recording.labels[0] for recording in found]
    assert len(found) == 6
    assert {label: classes.count(label) for label in "abc"} == {"a": 2, "b": 2, "c": 2}
    assert len(drawn(segments, 100)) == 9


def test_named_recordings_and_patterns(tmp_path: Path) -> None:
    for name in ("b.wav", "a.wav", "notes.txt"):
        write_wav(tmp_path / name, np.zeros(10, np.int16))
    found = choose(Settings(tmp_path, ("b.wav", "*")), tmp_path, 16000, tmp_path)
    assert [recording.file.name for recording in found] == ["b.wav", "a.wav"]
    with pytest.raises(UserError, match=r'no recording is named "c\*"'):
        choose(Settings(tmp_path, ("c*",)), tmp_path, 16000, tmp_path)
    with pytest.raises(UserError, match="no recording is named"):
        choose(Settings(tmp_path), tmp_path, 16000, tmp_path)


def test_absent_labels_are_replaced_by_made_sounds_where_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = Settings(tmp_path, labels=tmp_path / "labels.csv", count=5)
    with pytest.raises(UserError, match="no such file"):
        choose(absent, tmp_path, 16000, tmp_path / "made")
    allowed = dataclasses.replace(absent, synthetic=True)
    found = choose(allowed, tmp_path, 16000, tmp_path / "made")
    assert len(found) == 5
    assert len({recording.labels for recording in found}) == 4
    assert "sounds made by a program" in capsys.readouterr().err


def test_sounds_that_a_program_made_are_known_as_such(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    assert synthesised(Settings(tmp_path, synthetic=True))
    assert synthesised(Settings(tmp_path, synthetic=True, labels=labels))
    assert not synthesised(Settings(tmp_path, synthetic=True, files=("*.wav",)))
    labels.touch()
    assert not synthesised(Settings(tmp_path, synthetic=True, labels=labels))


def test_made_sounds_have_the_app_s_rate(tmp_path: Path) -> None:
    import soundfile

    (found, *_) = choose(Settings(tmp_path, synthetic=True, count=1), tmp_path, 8000, tmp_path / "made")
    assert soundfile.info(found.file).samplerate == 8000


@pytest.mark.parametrize("suppress", [0, 20])
def test_where_decisions_are_suppressed_some_are_unknown(tmp_path: Path, suppress: int) -> None:
    spec = load_spec(EXAMPLE).pipeline
    assert spec is not None
    pipeline = dataclasses.replace(spec, decision=dataclasses.replace(spec.decision, suppress=suppress))
    write_wav(tmp_path / "a.wav", np.zeros(16000, np.int16))
    context = Context(pipeline, (Recording(tmp_path / "a.wav", ()),), tmp_path, tmp_path, 1)
    slugs = [case.slug for case in cases_decision.suite(context).cases]
    assert slugs[0] == "unknown"
    assert ("accepted" in slugs) is (suppress == 0)


@pytest.mark.parametrize("slide", [True, False])
def test_an_open_gate_lets_silence_pass(tmp_path: Path, *, slide: bool) -> None:
    """[gate] threshold = -1: there is no sound that does not open it, and every decision can be told."""
    spec = load_spec(EXAMPLE).pipeline
    assert spec is not None
    pipeline = dataclasses.replace(spec, gate=Gate(-1, 14, 0), cascade=Cascade(15, slide, 1))
    context = Context(pipeline, (Recording(tmp_path, ()),), tmp_path, tmp_path, 1)
    cases = {case.slug: case for case in cases_gate.suite(context).cases}
    assert {"silence", "gate_raised", "gate_delay_5"} <= set(cases)
    assert not {"gate_click", "gate_shut"} & set(cases)
    (last,) = [one for one in cases["silence"].steps if one.keyword == "Decisions Should Be In Windows"]
    assert last.arguments == (("14-58",) if slide else ("14", "29", "44"))


# What the gate's cases expect, against the tests' own description


@pytest.mark.parametrize(("slide", "every"), [(True, 1), (True, 4), (False, 1)])
@pytest.mark.parametrize("stride", [400, 160, 100, 13, 1, 401, 1000])
def test_the_windows_that_a_click_decides(tmp_path: Path, stride: int, slide: bool, every: int) -> None:
    spec = load_spec(EXAMPLE).pipeline
    assert spec is not None
    for gate in (Gate(600, 14, 0), Gate(100, 0, 0), Gate(32766, 3, 5), Gate(0, 1, 2)):
        pipeline = dataclasses.replace(
            spec, window=Window(400, stride), gate=gate, cascade=Cascade(15, slide, every)
        )
        context = Context(pipeline, (Recording(tmp_path, ()),), tmp_path, tmp_path, 1)
        make = Maker(pipeline)
        sound = make.click(70, 20, gate.threshold + 1)
        starts = range(0, len(sound) - 399, stride)
        assert len(starts) == 70
        peaks = [int(np.abs(sound[start : start + 400].astype(int)).max()) for start in starts]
        loud = [peak > gate.threshold for peak in peaks]
        clicked = [window for window in make.clicked(20) if window < 70]
        assert [index for index, is_loud in enumerate(loud) if is_loud] == clicked
        flags = gate_flags(peaks, gate.threshold, gate.backoff, gate.delay)
        described = described_windows(flags, pipeline.cascade)
        assert cases_gate.decided_windows(gate, loud, context) == described
        assert described or every > gate.backoff + 1


@pytest.mark.parametrize(
    ("windows", "words"),
    [([], []), ([4], ["4"]), ([4, 5], ["4-5"]), ([1, 2, 3, 7, 9, 10], ["1-3", "7", "9-10"])],
)
def test_ranges(windows: list[int], words: list[str]) -> None:
    assert cases_gate.ranges(windows) == words


def test_noise_has_its_peak_in_every_window() -> None:
    spec = load_spec(EXAMPLE).pipeline
    assert spec is not None
    sound = Maker(spec).noise(30, 600).reshape(30, 400).astype(int)
    assert (np.abs(sound).max(axis=1) == 600).all()


def test_a_word_is_one_word_to_robot() -> None:
    assert robot_word("a  b\t${c} #d %{e} f=g") == r"a b \${c} \#d \%{e} f\=g"


# Which emulator


@pytest.fixture
def renode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A renode-test on PATH."""
    program = tmp_path / "renode-test"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return program


def known_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three boards: one of both emulators, one of Renode's alone, one with a stand-in."""
    real = load_board("mps2_an505")
    machine = Renode("both/both.repl", "uart0")
    boards = {
        "both": dataclasses.replace(real, name="both", renode=machine),
        "renode_only": dataclasses.replace(real, name="renode_only", qemu=None, renode=machine),
        "stood_in": dataclasses.replace(real, name="stood_in", qemu=None, renode=None, stand_in="mps2_an505"),
        "nothing": dataclasses.replace(real, name="nothing", qemu=None, renode=None),
        "qemu_only": dataclasses.replace(real, name="qemu_only", renode=None),
    }
    monkeypatch.setattr(emulator, "load_board", lambda name: boards.get(name) or load_board(name))


def test_a_renode_test_without_its_packages_is_reported_with_the_remedy(tmp_path: Path) -> None:
    """As the real one ends: before Renode is even started."""
    program = tmp_path / "renode-test"
    program.write_text("#!/bin/sh\necho \"No module named 'psutil'\" >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(UserError, match=r"exit code 1.*No module named 'psutil'") as reported:
        emulator.need_renode_test(program)
    assert "pip install -r FOLDER/tests/requirements.txt" in (reported.value.remedy or "")
    program.write_text("#!/bin/sh\nexit 0\n")
    emulator.need_renode_test(program)


def test_the_short_set_has_few_recordings_and_a_short_long_one(tmp_path: Path) -> None:
    """One of each class first, as they are drawn; what is shorter by itself stays."""
    every = settings_of(tmp_path, '[recordings]\nlabels = "none.csv"\nsynthetic = true\nlong = 90\n')
    short = every.short
    assert (short.most, short.long) == (4, 10)
    assert dataclasses.replace(every, long=7).short.long == 7
    drawn_of_all = choose(every, tmp_path, 16000, tmp_path / "all")
    drawn_of_short = choose(short, tmp_path, 16000, tmp_path / "short")
    assert len(drawn_of_all) > 4
    assert [one.labels for one in drawn_of_short] == [one.labels for one in drawn_of_all[:4]]


def test_renode_where_it_is_installed_and_knows_the_board(
    renode: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_boards(monkeypatch)
    for board in ("both", "renode_only"):
        chosen = emulator.choose(board)
        assert (chosen.name, chosen.board.name, chosen.renode_test) == ("renode", board, renode)
    assert emulator.choose("both", "qemu").name == "qemu"
    assert emulator.choose("qemu_only").name == "qemu"


def test_qemu_and_stand_ins_are_said_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    known_boards(monkeypatch)
    monkeypatch.setenv("PATH", "/nowhere")
    assert emulator.choose("both").words == "both in QEMU's machine mps2-an505"
    chosen = emulator.choose("stood_in")
    assert (chosen.name, chosen.board.name) == ("qemu", "mps2_an505")
    assert "in place of stood_in, which it does not know" in chosen.words
    assert "not the image for stood_in" in chosen.words


@pytest.mark.parametrize(
    ("board", "wanted", "reported"),
    [
        ("pc", None, "nothing to emulate"),
        ("mps2_an386", "bochs", 'no emulator "bochs"'),
        ("qemu_only", "renode", "no Renode platform"),
        ("renode_only", None, "no emulator here knows"),
        ("renode_only", "renode", "Renode is not installed"),
        ("nothing", None, "Add a stand_in"),
    ],
)
def test_what_cannot_run_is_refused(
    monkeypatch: pytest.MonkeyPatch, board: str, wanted: str | None, reported: str
) -> None:
    known_boards(monkeypatch)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError) as caught:
        emulator.choose(board, wanted)
    assert reported in str(caught.value)


def test_a_bare_model_and_the_pc_have_no_suites(tmp_path: Path) -> None:
    build = f"build={tmp_path / 'build'}"
    bare = tutorial_app(tmp_path / "bare", text=BARE)
    assert "earshot verify" in refused("board=mps2_an386", f"app={bare}", build, "emulate")
    reported = refused("board=pc", build, "emulate")
    assert re.search("the board .pc. is this computer", reported)
    assert os.sep not in reported.splitlines()[0]
