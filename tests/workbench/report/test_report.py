# SPDX-License-Identifier: Apache-2.0
"""`earshot report`: what an app takes and decides beside what was accepted, as table, JSON and page."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import cast

import pytest

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from tests.support.cli import earshot, refused
from tests.support.tools import need_tool
from tests.support.tutorial import BARE, tutorial_app
from toolbox.options import EXAMPLE
from workbench.audio.synthesize import write_session
from workbench.profiling.profile import Profile
from workbench.report import decisions
from workbench.report.decided import Decided, decode, encode, stride_of
from workbench.report.decisions import Accepted, Changed, Heard, cells, changed
from workbench.report.report import Report
from workbench.report.text import advice, difference, verdict


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with four recordings of its own."""
    need_tool("qemu-system-arm")
    need_tool("arm-none-eabi-gcc")
    folder = tmp_path_factory.mktemp("app") / "report_app"
    folder.mkdir()
    for name in ("pipeline.toml", "model.tflite", "model.contract"):
        shutil.copy(EXAMPLE / name, folder)
    write_session(folder / "recordings", 3, recordings=1, count=2, session="test")
    return folder


class Tags(HTMLParser):
    """Counts tags, and notes what would be loaded from elsewhere, and what does not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: Counter[str] = Counter()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] += 1
        self.loads += [name for name, _ in attrs if name in ("src", "href", "xlink:href", "data")]
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag


def report_of(app: Path, *words: str) -> tuple[int, dict[str, object], str, str]:
    """Exit code, object, page, and stderr."""
    done = earshot("report", "--app", app, "--json", *words)
    assert "Traceback" not in done.stderr, done.stderr
    page = Path(done.stderr.splitlines()[-1])
    assert page.name == "report.html"
    assert page.is_relative_to(ROOT / "build" / "mps2_an386")
    return done.returncode, json.loads(done.stdout), page.read_text(encoding="utf-8"), done.stderr


def test_accepted_then_changed_then_over_budget(app: Path) -> None:
    """The whole life of a budget, and the decisions against those that replay prints."""
    code, first, *_ = report_of(app, "--accept")
    assert (code, first["accepted"]) == (0, False)
    stored = json.loads((app / "decisions.json").read_text())["recordings"]
    assert len(stored) == 4
    for name, one in stored.items():
        done = earshot("replay", "--app", app, app / "recordings" / name)
        lines = done.stdout.splitlines()
        assert one["decided"] == Counter(json.loads(line)["Label"] for line in lines)
        assert one["truth"] in name
    before = {name: one["decided"] for name, one in stored.items()}

    code, same, page, _ = report_of(app)
    assert (code, same["over_budget"], same["changes"]) == (0, [], [])
    nothing: dict[str, object] = {"changed": [], "gone": [], "classes": {}, "cells": []}
    assert same["decisions"] == {"recordings": 4, "compared": 4, **nothing}
    assert "within the accepted budgets, and decided as accepted" in page

    pipeline, budgets = app / "pipeline.toml", app / "budgets.toml"
    pipeline.write_text(pipeline.read_text().replace("threshold = 0.80", "threshold = 1.0"))
    budgets.write_text(re.sub(r"(?m)^mfcc( *)= \d+", r"mfcc\1= 20000", budgets.read_text()))
    code, third, page, said = report_of(app)
    assert code == 1
    over = third["over_budget"]
    assert isinstance(over, list)
    assert [(one["group"], one["name"], one["accepted"]) for one in over] == [("instructions", "mfcc", 20000)]
    assert over[0]["found"] > 20000
    reported = third["decisions"]
    assert isinstance(reported, dict)
    assert reported["changed"]
    for one in reported["changed"]:
        assert one["before"] == before[one["recording"]]
        assert sum(one["now"].values()) == sum(one["before"].values())  # the threshold moves no window
    gain: Counter[str] = Counter()
    for cell in reported["cells"]:
        assert cell["before"] != cell["now"]
        gain[cell["truth"]] += cell["now"] - cell["before"]
    assert set(gain.values()) == {0}
    assert "--accept stores" in said
    assert "OVER BUDGET: instructions mfcc; DECISIONS CHANGED on" in page
    assert "Unknown (below threshold)" in page

    tags = Tags()
    tags.feed(page)
    assert (tags.open, tags.loads) == ([], [])
    assert tags.count["svg"] == 4
    assert "http" not in page
    assert "@import" not in page
    assert "url(" not in page
    assert page.count('class="over"/>') == 1  # the one bar over budget
    numbers = page[page.index("<h2>All numbers") :]
    assert numbers.index("mfcc") < numbers.index("window")  # the worst first
    _check_plain(app, over[0]["found"], len(reported["changed"]))


def _check_plain(app: Path, mfcc: int, moved: int) -> None:
    """The same for a person at a terminal."""
    plain = earshot("report", "--app", app)
    assert plain.returncode == 1
    rows = plain.stdout.splitlines()
    assert rows[0].startswith("report_app on mps2_an386, build ")
    (row,) = (row for row in rows if row.endswith("over budget"))
    assert row.split()[:4] == ["instructions", "mfcc", "20,000", f"{mfcc:,}"]
    assert f"decisions: {moved} of 4 recordings changed since accepted" in rows
    assert sum(" first: " in row for row in rows) == moved


def heard(truth: str, digest: str, **counts: int) -> Heard:
    return Heard(truth, counts, digest)


def test_changed_recordings_and_their_cells() -> None:
    before = Accepted(
        "m", "c", {"a": heard("x", "1", x=3, y=1), "b": heard("y", "2", y=2), "old": heard("x", "3")}
    )
    now = Accepted(
        "m", "c", {"a": heard("x", "9", x=2, y=2), "b": heard("y", "2", y=2), "new": heard("x", "4")}
    )
    (one,) = changed(before, now)
    assert one.name == "a"
    assert cells([one.now, now.recordings["b"]]) == {("x", "x"): 2, ("x", "y"): 2, ("y", "y"): 2}


def test_a_row_says_what_changed() -> None:
    more = Changed("a", heard("x", "1", x=3, y=1, Unknown=2), heard("x", "9", x=2, y=2, Unknown=2))
    assert more.classes == {"x": (3, 2), "y": (1, 2)}
    assert difference(more) == "x 3 -> 2, y 1 -> 2"
    lost = Changed("a", heard("x", "1", x=3), heard("x", "9", Unknown=3, unknown=1))
    assert difference(lost) == "unknown 0 -> 1, x 3 -> 0, Unknown (below threshold) 0 -> 3"
    assert (more.moved, lost.moved) == (1, 4)
    moved = Changed("a", heard("x", "1", x=3, y=1), heard("x", "9", x=3, y=1))
    same = "3 x, 1 y as before, in other windows or with other scores"
    assert difference(moved) == f"{same}; which ones was not stored"  # by an earlier version


def rows(*rows: Sequence[tuple[int, str, int]]) -> list[Heard]:
    """Of each row of decisions (end, label, score) what is stored."""
    return [
        Heard("x", Counter(label for _, label, _ in row), str(number), tuple(Decided(*one) for one in row))
        for number, row in enumerate(rows)
    ]


def test_a_row_of_equal_counts_says_which_decision_changed() -> None:
    before, scores, windows = rows(
        [(6400, "x", 80), (6800, "x", 81), (9200, "y", 3)],
        [(6400, "x", 80), (6800, "x", 79), (9200, "y", 3)],
        [(6800, "x", 81), (9200, "y", 3), (9600, "x", 80)],
    )
    same = "2 x, 1 y as before, in other windows or with other scores"
    assert difference(Changed("a", before, scores, 16000)) == (
        f"{same}; 1 differs, at 0.425 s first: x with score 81 before, x with score 79 now"
    )
    assert difference(Changed("a", before, windows, 16000)) == (
        f"{same}; 2 differ, at 0.400 s first: x with score 80 before, no decision now"
    )
    (lost,) = rows([(6400, "x", 80), (6800, "Unknown", 12), (9200, "y", 3)])
    assert difference(Changed("a", before, lost, 16000)) == (
        "x 2 -> 1, Unknown (below threshold) 0 -> 1; 1 differs, at 0.425 s first: x with score 81 before, "
        "Unknown (below threshold) with score 12 now"
    )


def test_decisions_are_short_text() -> None:
    (one, other) = rows([(15600, "b", 84), (16000, "b", 86), (20000, "a", -41)], [(400, "c", 127)])
    assert one.row is not None
    assert other.row is not None
    stride = stride_of([one.row, other.row])
    assert encode(one.row, stride, ["a", "b", "c"]) == "15600 1:84 1:86; 20000 0:-41"
    for row in (one.row, other.row, ()):
        assert decode(encode(row, stride, ["a", "b", "c"]), stride, ["a", "b", "c"]) == row
    assert stride_of([()]) == stride_of([]) == 1


def test_changed_decisions_fail_as_budgets_do() -> None:
    def report(now: Accepted) -> Report:
        before = Accepted("m", "c", {"a": heard("knock", "1", knock=109, Unknown=6)})
        # Within all budgets: none of them is looked at.
        return Report(cast(Profile, None), "build", None, before, now)

    same = report(Accepted("m", "c", {"a": heard("knock", "1", knock=109, Unknown=6)}))
    assert same.passed
    fewer = report(Accepted("m", "c", {"a": heard("knock", "2", knock=75, Unknown=40)}))
    assert not fewer.passed
    assert verdict(fewer) == (
        "DECISIONS CHANGED on 1 of 1 recordings: Unknown (below threshold) 6 -> 40, knock 109 -> 75"
    )
    for option in ("--accept", "accept=1"):
        assert advice(fewer, option).startswith(f"If that is as it should be, {option} stores")
    moved = report(Accepted("m", "c", {"a": heard("knock", "2", knock=109, Unknown=6)}))
    assert not moved.passed
    assert "the same classes as often, in other windows or with other scores" in verdict(moved)
    other = report(Accepted("m", "c", {"b": heard("knock", "2", knock=109)}))
    assert (other.passed, other.gone) == (True, ["a"])


def test_the_recording_that_changed_most_is_first() -> None:
    before = Accepted("m", "c", {"a": heard("x", "1", x=3), "b": heard("y", "2", y=9)})
    now = Accepted("m", "c", {"a": heard("x", "8", x=2, y=1), "b": heard("y", "9", x=9)})
    assert [one.name for one in changed(before, now)] == ["b", "a"]


def test_decisions_are_stored_and_read(tmp_path: Path) -> None:
    assert decisions.read(tmp_path) is None
    stored = Accepted("47ce", "eda4", {'a "b".wav': heard("knock", "12", knock=3), "c.wav": heard("-", "34")})
    (row,) = rows([(6400, 'k "1"', 80), (6800, "x", -128), (9200, "x", 3)])
    for accepted in (stored, Accepted("47ce", "eda4", {**stored.recordings, "d": row}, 16000)):
        decisions.write(tmp_path, accepted)
        assert decisions.read(tmp_path) == accepted
    infinite = '{"model": "", "contract": "", "recordings": {"a": {"truth": "", "decided": {"b": Infinity}}}}'
    torn = infinite.replace('{"b": Infinity}', '{}, "hash": "", "row": "%s"')
    for text in (
        '{"recordings": []}',
        infinite,
        "[" * 100000,
        *(torn % row for row in ("1 0:1", "1 x", "x")),
    ):
        (tmp_path / "decisions.json").write_text(text)
        with pytest.raises(UserError, match="is not what a report stores"):
            decisions.read(tmp_path)


def test_what_has_no_report_is_refused(tmp_path: Path) -> None:
    bare = tutorial_app(tmp_path / "bare", text=BARE)
    assert "bare model" in refused("report", "--app", bare)
    assert "accept=2 is not allowed" in refused("board=pc", "report", "accept=2")
    assert "report is made alone" in refused("board=mps2_an386", "report", "firmware")


def test_the_example_s_decisions_are_of_its_model() -> None:
    """Whoever changes the model accepts its decisions anew."""
    from codegen.app.contract import feature_contract
    from codegen.app.spec_file import load_spec
    from codegen.passes.legalise import load_graph

    spec = load_spec(EXAMPLE)
    stored = decisions.read(EXAMPLE)
    assert stored is not None
    assert (stored.model, stored.contract) == (
        load_graph(spec.classifier.model).sha256[:16],
        feature_contract(spec),
    )
    assert len(stored.recordings) == 24
