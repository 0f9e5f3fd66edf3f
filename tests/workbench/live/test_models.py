# SPDX-License-Identifier: Apache-2.0
"""An image with several models: each is heard on its own, and one is shown."""

from __future__ import annotations

import io
import json
from pathlib import Path

from rich.console import Console

from tests.firmware.device.test_several_models import write_app
from tests.support.cli import earshot
from workbench.audio.synthesize import write_session
from workbench.live.controls import Control, control
from workbench.live.events import Mark, Received, Sent
from workbench.live.monitor import Monitor
from workbench.live.outputs import summary
from workbench.live.screen import picture

BOOT = (
    '{"boot":"both","board":"pc","engine":"aot","build":"4f","model":"9e","input":300,"output":4,'
    '"contract":"aa","rate":16000,"frames":15,"labels":["knock","click"],"image":"","reset":"","id":"",'
    '"version":"0.1.0"}'
)
LINES = (
    '{"classifier":0,"name":"door","model":"1","contract":"a","frames":15,"labels":["knock","click"]}',
    '{"classifier":1,"name":"words","model":"2","contract":"b","frames":9,"labels":["yes","no","maybe"]}',
)
STATUS = {
    "status": 40,
    "live": True,
    "stages": False,
    "windows": 40,
    "decisions": 0,
    "dropped": 0,
    "gate.threshold": 600,
    "door.decision.votes": 1,
    "door.decision.threshold.knock": 70,
    "door.decision.threshold.click": 70,
    "words.decision.votes": 3,
    "words.decision.threshold.yes": 90,
    "words.decision.threshold.no": 90,
}


def decision(model: int, index: int, label: str, score: int, sequence: int) -> str:
    return (
        f'{{"ModelNumber":{model},"Classification":{index},"SegmentStart":{400 * sequence},'
        f'"SegmentLength":6000,"Label":"{label}","Score":{score},"Sequence":{sequence}}}'
    )


def taken(*lines: str, monitor: Monitor | None = None, time: float = 1.0) -> Monitor:
    monitor = monitor or Monitor()
    monitor.take(Received(time, "".join(f"{line}\n" for line in lines).encode()))
    return monitor


def started() -> Monitor:
    monitor = Monitor()
    monitor.take(Sent(0.5, "boot"))
    return taken(BOOT, *LINES, json.dumps(STATUS), monitor=monitor)


def test_each_model_has_a_class_and_counts_of_its_own() -> None:
    monitor = started()
    monitor.news()
    for number in range(8):  # two lines a window
        lines = decision(0, 1, "knock", 90, number), decision(1, 0, "Unknown", -20, number)
        taken(*lines, monitor=monitor, time=1.1 + 0.025 * number)
    told = [(one.model, one.label) for one in monitor.news() if one.kind == "class"]
    assert told == [("door", "knock"), ("words", "Unknown")]  # each once, not to and fro
    view = monitor.view()
    assert (view.model, view.label, view.score, view.labels) == ("door", "knock", 90, ("knock", "click"))
    assert [(one.name, one.label, dict(one.counts)) for one in view.models] == [
        ("door", "knock", {"knock": 8}),
        ("words", "Unknown", {"Unknown": 8}),
    ]
    assert view.missed == 0
    assert summary(view).splitlines() == ["16 decisions in 1.3 s", "  door: 8 knock", "  words: 8 Unknown"]
    monitor.show_next()
    view = monitor.view()
    assert (view.model, view.label, view.score) == ("words", "Unknown", -20)
    assert view.labels == ("yes", "no", "maybe")
    assert view.votes == 3
    assert view.device == "both on pc"
    monitor.show_next()
    assert monitor.view().model == "door"
    monitor.show("words")
    assert monitor.view().model == "words"
    monitor.show("nobody")
    assert monitor.view().model == "words"


def test_lines_that_do_not_come_whole_are_counted_over_all_models() -> None:
    monitor = started()
    taken(decision(0, 1, "knock", 90, 1), decision(1, 1, "yes", 95, 1), monitor=monitor)
    taken(json.dumps(STATUS | {"decisions": 5}), monitor=monitor, time=1.5)
    assert monitor.view().missed == 3
    missed = [one for one in monitor.news() if one.kind == "missed"]
    assert [(one.text, one.model) for one in missed] == [("3 decision lines did not come whole", "")]


def test_a_model_that_has_not_said_its_name_is_numbered() -> None:
    monitor = taken(decision(0, 1, "knock", 90, 1), decision(2, 1, "yes", 95, 1))
    now = [(one.name, one.label) for one in monitor.view().models]
    assert now == [("model 0", "knock"), ("model 2", "yes")]
    taken(BOOT, *LINES, monitor=monitor, time=1.2)
    assert [one.name for one in monitor.view().models] == ["door", "words", "model 2"]


def test_one_model_has_no_name() -> None:
    view = taken(decision(0, 1, "knock", 90, 1)).view()
    assert (view.model, view.models) == ("", ())


def test_keys_are_for_the_model_that_is_shown() -> None:
    monitor = started()
    assert control("m", monitor).next_model
    assert control("V", monitor).send == ("set door.decision.votes 2",)
    assert control("g", monitor).send == ("set gate.threshold 540",)
    monitor.show_next()
    assert control("v", monitor).send == ("set words.decision.votes 2",)
    assert control("T", monitor).send == (
        "set words.decision.threshold.yes 94",
        "set words.decision.threshold.no 94",
    )
    assert control("3", monitor).mark == "maybe"
    votes = Control(setting=("decision.votes", 4))
    assert votes.lines(monitor) == ("set words.decision.votes 4",)
    assert votes.lines(Monitor()) == ("set decision.votes 4",)


def test_a_setting_is_of_one_model_or_of_all() -> None:
    monitor = started()
    taken('{"set":"words.decision.votes","value":5}', monitor=monitor)
    assert monitor.settings["decision.votes"] == 1
    taken('{"set":"decision.threshold","value":80}', monitor=monitor)
    assert monitor.settings["decision.threshold.knock"] == 80
    monitor.show_next()
    assert monitor.settings == {
        "gate.threshold": 600,
        "decision.votes": 5,
        "decision.threshold.yes": 80,
        "decision.threshold.no": 80,
    }
    taken('{"set":"words.decision.threshold","value":60}', monitor=monitor)
    assert monitor.settings["decision.threshold.no"] == 60
    monitor.show_next()
    assert monitor.settings["decision.threshold.click"] == 80
    assert monitor.view().changed["words.decision.votes"] == (3, 5)


def test_a_mark_is_of_the_model_that_has_the_class() -> None:
    monitor = started()
    taken(decision(0, 1, "knock", 90, 1), decision(1, 2, "no", 95, 1), monitor=monitor)
    monitor.take(Mark(1.1, "yes"))
    assert [sound.truth for sound in monitor.sounds()] == [None]
    monitor.show_next()
    assert [sound.truth for sound in monitor.sounds()] == ["yes"]
    marks = [(one.model, one.text) for one in monitor.news() if one.kind == "mark"]
    assert marks == [("words", "really yes")]


def test_a_mark_is_taken_back_where_it_was_made_and_plays_again_as_it_was() -> None:
    both = LINES[1].replace('"maybe"', '"knock"')  # a class that two models have
    shown, again = taken(BOOT, LINES[0], both), taken(BOOT, LINES[0], both)
    lines = decision(0, 1, "knock", 90, 1), decision(1, 3, "knock", 95, 1)
    for monitor in (shown, again):
        taken(*lines, monitor=monitor, time=1.1)
    shown.show_next()
    marks = [shown.mark(1.2, "knock"), shown.mark(1.3, "click"), shown.mark(1.4, "no such class")]
    assert [mark.model for mark in marks] == [1, 0, None]
    for monitor in (shown, again):  # the second shows the first model all the time
        for mark in marks:
            monitor.take(mark)
        truths = {number: [one.truth for one in sounds] for number, sounds in monitor.every_sound().items()}
        assert truths == {0: ["click"], 1: ["knock"]}
        monitor.take(Mark(1.5, None))
        truths = {number: [one.truth for one in sounds] for number, sounds in monitor.every_sound().items()}
        assert truths == {0: [None], 1: ["knock"]}
        monitor.take(Mark(1.6, None))
        assert [one.truth for one in monitor.every_sound()[1]] == [None]


def test_the_first_line_of_a_model_may_come_in_pieces() -> None:
    monitor = taken(decision(0, 1, "knock", 90, 1))
    line = f"{decision(1, 1, 'yes', 95, 1)}\n".encode()
    monitor.take(Received(1.1, line[:30]))
    monitor.take(Received(1.2, line[30:]))
    assert [dict(one.counts) for one in monitor.view().models] == [{"knock": 1}, {"yes": 1}]


def test_a_device_of_sensiml_whose_only_model_is_not_number_0() -> None:
    monitor = Monitor(classes={3: {1: "humming"}}, idle_after=1.0)
    monitor.take(Received(1.0, b'{"ModelNumber":3,"Classification":1}\n'))
    view = monitor.view()
    assert (view.label, view.labels, dict(view.counts)) == ("humming", ("humming",), {"humming": 1})
    assert (view.model, view.models, view.device) == ("", (), "a device of SensiML")
    monitor.advance(9.0)
    assert [(one.kind, one.model) for one in monitor.news()] == [("class", ""), ("idle", "")]
    monitor.take(Received(9.0, b'{"ModelNumber":0,"Classification":1}\n'))
    assert [one.name for one in monitor.view().models] == ["model 0", "model 3"]


def test_a_setting_is_of_no_label_that_ends_like_it() -> None:
    status = {**STATUS, "door.decision.threshold.gate.threshold": 70}
    monitor = taken(BOOT, *LINES, json.dumps(status))
    taken('{"set":"gate.threshold","value":500}', monitor=monitor)
    assert monitor.settings["gate.threshold"] == 500
    assert monitor.settings["decision.threshold.gate.threshold"] == 70


def test_the_summary_for_programs_says_whose_counts_it_has() -> None:
    monitor = started()
    taken(decision(0, 1, "knock", 90, 1), decision(1, 1, "yes", 95, 1), monitor=monitor)
    monitor.show_next()
    found = monitor.view().object()
    assert (found["model"], found["counts"]) == ("words", {"yes": 1})
    assert found["models"] == {"door": {"knock": 1}, "words": {"yes": 1}}


def test_the_screen_has_all_of_them() -> None:
    monitor = started()
    taken(decision(0, 1, "knock", 90, 1), decision(1, 2, "no", 95, 1), monitor=monitor)
    console = Console(width=130, record=True, file=io.StringIO())
    console.print(picture(monitor.view(), "/dev/x", None))
    text = console.export_text()
    assert "door  knock     words  no" in text
    assert "m next model" in text


def test_an_app_with_two_models_is_watched_on_this_computer(tmp_path: Path) -> None:
    app = write_app(tmp_path, "both")
    write_session(tmp_path / "sounds", 5, recordings=1, count=2)
    sound = next((tmp_path / "sounds").glob("*knocking*.wav"))
    words = ("monitor", "--app", app, "--target", "pc", "--wav", sound, "--fast")
    done = earshot(*words)
    assert done.returncode == 0, done.stderr
    assert " s   door: knocking " in done.stdout
    assert " s   words: " in done.stdout
    last = json.loads(earshot(*words, "--json").stdout.splitlines()[-1])
    assert list(last["models"]) == ["door", "words"]
