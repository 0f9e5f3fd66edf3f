"""earshot demo: the example on an emulated Cortex-M4, and what it hears."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.app.spec_file import load_spec
from codegen.board.description import load_board
from codegen.common.paths import ROOT
from codegen.model.graph import Quantization
from codegen.passes.legalise import load_graph
from toolbox import tools
from toolbox.options import EXAMPLE
from toolbox.sizes import sizes
from workbench.audio.recording import read_audio
from workbench.audio.synthesize import RATE, demo_recordings
from workbench.build import build
from workbench.data.labels import read_labels
from workbench.protocol.lines import Decision, parse_line
from workbench.targets import open_target

NAME = "demo"
HELP = "builds the example, plays recordings into it on an emulated Cortex-M4, prints what it hears"
DESCRIPTION = """\
Generates C from examples/smart_lock, builds it for a Cortex-M4 with arm-none-eabi-gcc, runs the image in
QEMU, plays recordings into it over its serial line and prints what it answers.

  earshot demo                      recordings that are at hand: real ones, or sounds made from a seed
  earshot demo door.wav hall.flac   your own: 16 kHz, 16 bit, mono
"""

BOARD = "mps2_an386"
LEGEND = """
Each line: the second, the class it hears, how sure it is at most, and for how many decisions in a row;
while there is sound, it decides at every window."""
REAL = Path("audio") / "smart_lock" / "labels.csv"  # in ../shared, or in the folder EARSHOT_SHARED names


@dataclass(frozen=True)
class Heard:
    """Decisions for one class without a pause between them."""

    seconds: float  # when the first was made, from the recording's start
    label: str
    accepted: bool  # it reached its threshold
    score: int  # the largest, int8
    decisions: int


def arguments(parser: argparse.ArgumentParser) -> None:
    """Recordings, if any."""
    parser.add_argument("recordings", type=Path, nargs="*", metavar="WAV", help="recordings of your own")


def run(args: argparse.Namespace) -> int:
    """Exit code 0 when the image answered to everything."""
    spec = load_spec(EXAMPLE)
    output = load_graph(spec.classifier.model).output.quantization
    assert spec.pipeline is not None
    assert output is not None
    rate = spec.pipeline.audio.sample_rate
    with tempfile.TemporaryDirectory() as made:
        source, recordings = _recordings(args.recordings, Path(made))
        sounds = [(file, what, read_audio(file, rate)) for file, what in recordings]
        print(f"Building {spec.name} for {BOARD}: {load_board(BOARD).description}.", flush=True)
        tools.ensure("arm-none-eabi-gcc", "qemu-system-arm")
        built = build(BOARD, EXAMPLE)
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
                heard = list(events((d for d in decisions if isinstance(d, Decision)), rate))
                for event in heard:
                    if event.accepted:
                        print(f"    {sentence(event, output)}")
                print(f"    {silence(heard)}")
    print(f"\nThe lines themselves: ./earshot replay --app {_short(EXAMPLE)} --target qemu YOUR.wav")
    return 0


def events(decisions: Iterable[Decision], rate: int) -> Iterator[Heard]:
    """Runs of decisions in consecutive windows for one class. A decision is made at its segment's end."""
    current: list[Decision] = []
    for decision in decisions:
        last = current[-1] if current else None
        if last and (decision.class_index, decision.sequence) != (last.class_index, last.sequence + 1):
            yield _heard(current, rate)
            current = []
        current.append(decision)
    if current:
        yield _heard(current, rate)


def _heard(run: list[Decision], rate: int) -> Heard:
    seconds = (run[0].segment_start + run[0].segment_length) / rate
    score = max(decision.score for decision in run)
    return Heard(seconds, run[0].label, run[0].class_index > 0, score, len(run))


def sentence(event: Heard, output: Quantization) -> str:
    """One line for a person."""
    share = (event.score - output.zero_point) * output.scale
    return f"{event.seconds:6.2f} s   {event.label:<18}{share:6.1%}{event.decisions:>6}"


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


def _short(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
