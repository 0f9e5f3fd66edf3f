# SPDX-License-Identifier: Apache-2.0
"""earshot demo: the example on an emulated Cortex-M4, and what it hears."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from codegen.app.spec import Spec
from codegen.app.tables.decision import Score
from codegen.board.description import load_board
from codegen.common.paths import ROOT
from toolbox import tools
from toolbox.options import EXAMPLE
from toolbox.sizes import sizes
from workbench.audio import recording as audio
from workbench.audio.synthesize import RATE, demo_recordings
from workbench.build import build
from workbench.data.labels import read_labels
from workbench.host.features import app_score, listening_spec
from workbench.progress import progress, waiting
from workbench.protocol.lines import Decision, parse_line
from workbench.suites.recordings import choose, synthesised
from workbench.suites.settings import read_settings
from workbench.targets import open_target

NAME = "demo"
HELP = "build the example or an app, play recordings into it on an emulated Cortex-M4, print what it hears"
DESCRIPTION = """\
Generates C from examples/smart_lock, builds it for a Cortex-M4 with arm-none-eabi-gcc, runs the image in
QEMU, plays recordings into it over its serial line and prints what it answers.

  earshot demo                      recordings that are at hand: real ones, or sounds made from a seed
  earshot demo door.wav hall.flac   your own: 16 kHz, 16 bit, mono; others with --resample and so on
  earshot demo --app my_app         your own app, on the recordings of its suites.toml
"""

BOARD = "mps2_an386"
LEGEND = """
Each line: the second, the class it hears, how sure it is at most, and how many decisions say so;
while there is sound, it decides at every window."""
REAL = Path("audio") / "smart_lock" / "labels.csv"  # in ../shared, or in the folder EARSHOT_SHARED names


@dataclass(frozen=True)
class Heard:
    """Decisions for one class about one sound."""

    seconds: float  # when the first was made, from the recording's start
    label: str
    accepted: bool  # it reached its threshold
    score: int  # the largest, int8
    decisions: int


def arguments(parser: argparse.ArgumentParser) -> None:
    """Recordings, if any."""
    parser.add_argument("recordings", type=Path, nargs="*", metavar="WAV", help="recordings of your own")
    parser.add_argument(
        "--app", type=Path, metavar="DIR", help="folder with pipeline.toml (default examples/smart_lock)"
    )
    audio.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0 when the image answered to everything."""
    app = EXAMPLE if args.app is None else args.app
    spec, pipeline = listening_spec(app)
    rate, read = pipeline.audio.sample_rate, audio.reader(args)
    with tempfile.TemporaryDirectory() as made:
        if args.app is None or args.recordings:
            source, recordings = _recordings(args.recordings, Path(made))
        else:
            source, recordings = _of_app(spec, len(pipeline.decision.labels), Path(made))
        files = progress(recordings, len(recordings), "reading recordings")
        sounds = [(file, what, read(file, rate)) for file, what in files]
        print(f"Building {spec.name} for {BOARD}: {load_board(BOARD).description}.", flush=True)
        tools.ensure("arm-none-eabi-gcc", "qemu-system-arm")
        built = build(BOARD, app)
        score = app_score(spec)
        taken = sizes(built.image, load_board(BOARD))
        print(
            f"The image takes {taken.flash:,} bytes of flash and {taken.ram:,} of RAM: {_short(built.image)}"
        )
        with open_target("qemu", built.image, board=BOARD) as device:
            print(f"The emulated chip answers: {device.boot.name}, GNU build id {device.boot.build}.")
            print(f"Playing {source} into it.{LEGEND}")
            for file, what, samples in sounds:
                print(f"\n  {file.name}{what}, {len(samples) / rate:.1f} s", flush=True)
                decisions = (parse_line(line) for line in device.replay(samples))
                with waiting(f"playing {file.name}"):
                    heard = list(events((d for d in decisions if isinstance(d, Decision)), rate))
                for event in heard:
                    if event.accepted:
                        print(f"    {sentence(event, score)}")
                print(f"    {silence(heard)}")
    print(f"\nThe lines themselves: ./earshot replay --app {_short(app)} --target qemu YOUR.wav")
    return 0


def events(decisions: Iterable[Decision], rate: int) -> Iterator[Heard]:
    """What a person would count. A decision is made at its segment's end; those for one class are one event
    while each hears some of the sound that the one before it heard, with none for another class between them.
    Those that reach no threshold part nothing, and are told in runs of their own.
    """
    current: list[Decision] = []
    unsure: list[Decision] = []
    for decision in decisions:
        if decision.class_index == 0:
            unsure.append(decision)
            continue
        last = current[-1] if current else None
        if last and not (decision.class_index == last.class_index and _overlap(last, decision)):
            yield _heard(current, rate)
            current = []
        current.append(decision)
    for run in (current, unsure):
        if run:
            yield _heard(run, rate)


def _overlap(earlier: Decision, later: Decision) -> bool:
    """Whether they hear some of the same sound."""
    return later.segment_start < earlier.segment_start + earlier.segment_length


def _heard(run: list[Decision], rate: int) -> Heard:
    seconds = (run[0].segment_start + run[0].segment_length) / rate
    score = max(decision.score for decision in run)
    return Heard(seconds, run[0].label, run[0].class_index > 0, score, len(run))


def sentence(event: Heard, score: Score) -> str:
    """One line for a person."""
    return f"{event.seconds:6.2f} s   {event.label:<18}{score.text(event.score):>6}{event.decisions:>6}"


def silence(heard: Sequence[Heard]) -> str:
    """What the lines above leave out."""
    total = sum(event.decisions for event in heard)
    unknown = sum(event.decisions for event in heard if not event.accepted)
    if total == 0:
        return "nothing: no window was loud enough"
    return f"in {unknown} of {total} decisions no class reached its threshold"


def _recordings(own: list[Path], folder: Path) -> tuple[str, list[tuple[Path, str]]]:
    """What is played, in words, and each file with what it holds, in words."""
    if own:
        return "your recordings", [(file, "") for file in own]
    labels = Path(os.environ.get("EARSHOT_SHARED", ROOT.parent / "shared")) / REAL
    if labels.is_file():
        first: dict[str, Path] = {}  # of each class a recording the model was not trained on
        for segment in read_labels(labels, RATE):
            if segment.session == "test":
                first.setdefault(segment.label, segment.file)
        return "real recordings of the test session", [(file, f": {label}") for label, file in first.items()]
    made = demo_recordings(folder)
    return "sounds made by a program (there are no real recordings here)", [(file, "") for file in made]


def _of_app(spec: Spec, count: int, folder: Path) -> tuple[str, list[tuple[Path, str]]]:
    """The same of an app: as many recordings of its suites.toml as it has classes, of each class in turn."""
    app, pipeline = spec.file.parent, spec.pipeline
    assert pipeline is not None
    settings = read_settings(app)
    chosen = choose(
        replace(settings, count=min(settings.count, count)), app, pipeline.audio.sample_rate, folder
    )
    what = "sounds made by a program" if synthesised(settings) else "the app's recordings"
    return what, [(one.file, f": {one.words}" if one.words else "") for one in chosen[:count]]


def _short(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
