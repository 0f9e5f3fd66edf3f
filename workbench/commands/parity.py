# SPDX-License-Identifier: Apache-2.0
"""earshot parity: do all targets compute the same, and where not?"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Pipeline
from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from workbench.audio import recording as audio
from workbench.progress import progress, waiting
from workbench.targets import BAUD, Device, open_app
from workbench.targets.restored import restored
from workbench.verify.parity import (
    DECISION,
    StageDifference,
    Value,
    by_stage,
    first_difference,
    other_settings,
)

NAME = "parity"
HELP = "compare every stage of every window between PC, emulators and board"
DESCRIPTION = """\
Plays recordings into an app's images and compares what each computed for every window: cepstra, gate,
features, frame, input, scores, decision. The first target is what the others are compared with. Where one
differs, the first window and stage are named, with both values: what came before was the same.

  earshot parity --app examples/smart_lock door.wav
  earshot parity --app examples/smart_lock --targets pc,qemu,/dev/ttyACM0 door.wav hall.wav
  earshot parity --app examples/smart_lock --targets pc,qemu,renode --board xg24 door.wav

Exit code 0: the same in every bit. 1: something differs.
"""


@dataclass(frozen=True)
class Compared:
    """One recording on one target, against the first target."""

    target: str
    first: StageDifference | None  # None: the same


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which app, which targets, which sounds."""
    parser.add_argument("--app", type=Path, required=True, metavar="DIR", help="folder with pipeline.toml")
    parser.add_argument(
        "--targets",
        default="pc,qemu",
        metavar="TARGET,...",
        help="two or more, the first is the measure (default pc,qemu)",
    )
    parser.add_argument("--board", metavar="B", help="what to build for an emulator (default mps2_an386)")
    parser.add_argument("--baud", type=int, default=BAUD, metavar="N", help=f"of a port (default {BAUD})")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("recordings", type=Path, nargs="+", metavar="WAV", help="WAV, FLAC, or raw .s16le")
    audio.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """1 where a target differs."""
    pipeline = _pipeline(args.app)
    targets = _targets(args.targets)
    files = progress(args.recordings, len(args.recordings), "reading recordings")
    sounds = [audio.read_with_arguments(args, file, pipeline.audio.sample_rate) for file in files]
    with ExitStack() as opened:
        devices = []
        for target in targets:
            board = None if target == "pc" else args.board
            device = opened.enter_context(open_app(args.app, target, board=board, baud=args.baud))
            opened.enter_context(restored(device))
            device.command("stages on")
            devices.append(device)
        settings = _settings(targets, devices)
        results = []
        for file, samples in zip(args.recordings, sounds, strict=True):
            with waiting(f"comparing what the targets make of {file.name}"):
                lines, found = _compare(targets, devices, samples)
            results.append(_object(file, lines, found))
            if not args.json:
                print("\n".join(_text(file, lines, targets, found, pipeline)), flush=True)
    differing = sum(not target["same"] for result in results for target in result["targets"])
    if args.json:
        whole = {"targets": targets, "differing": differing, "settings": settings, "recordings": results}
        print(json.dumps(whole))
    else:
        for target, keys in settings.items():
            for key, (ours, theirs) in keys.items():
                print(f"{key} is {ours} on {targets[0]} and {theirs} on {target}")
        print("all the same" if not (differing or settings) else "NOT the same")
    return 1 if differing or settings else 0


def _pipeline(app: Path) -> Pipeline:
    spec = load_spec(app, several=True)
    if spec.pipeline is None:
        raise UserError(
            "it is a bare model, which hears nothing",
            file=spec.file,
            remedy="Add the sections of a pipeline, or compare the model's outputs with `earshot verify`.",
        )
    return spec.pipeline


def _targets(text: str) -> list[str]:
    targets = [word.strip() for word in text.split(",") if word.strip()]
    if len(targets) < 2 or len(set(targets)) < len(targets):
        raise UserError(
            f'--targets "{text}" names no two different targets',
            remedy="Write for example --targets pc,qemu or --targets pc,/dev/ttyACM0.",
        )
    return targets


def _settings(targets: Sequence[str], devices: Sequence[Device]) -> dict[str, dict[str, Any]]:
    """Of each target that was set otherwise than the first one: what."""
    first, *others = [device.status() for device in devices]
    differing = {
        target: other_settings(first, status) for target, status in zip(targets[1:], others, strict=True)
    }
    return {target: keys for target, keys in differing.items() if keys}


def _compare(
    targets: Sequence[str], devices: Sequence[Device], samples: NDArray[np.int16]
) -> tuple[list[str], list[Compared]]:
    """The first target's lines, and each other one against them."""
    ours = list(devices[0].replay(samples))
    found = []
    for target, device in zip(targets[1:], devices[1:], strict=True):
        found.append(Compared(target, first_difference(ours, list(device.replay(samples)))))
    return ours, found


def _counts(lines: Sequence[str]) -> tuple[int, int]:
    """Windows and decisions of these lines."""
    stages = [stage for _, stage in by_stage(lines)]
    return stages.count("cepstra"), sum(stage.startswith(DECISION) for stage in stages)


def _text(
    file: Path, lines: Sequence[str], targets: Sequence[str], found: Sequence[Compared], pipeline: Pipeline
) -> list[str]:
    """For a person."""
    windows, decisions = _counts(lines)
    out = [f"{file}: {windows} windows, {decisions} decisions"]
    width = max(map(len, targets))
    for one in found:
        if one.first is None:
            out.append(f"  {one.target} the same as {targets[0]}")
            continue
        first = one.first
        seconds = first.window * pipeline.window.stride / pipeline.audio.sample_rate
        which = ""
        if first.value is not None:
            which = f", value {first.value}" + (f", first of {first.values}" if first.values > 1 else "")
        out.append(f"  {one.target} differs, first in window {first.window} (at {seconds:.3f} s)")
        out.append(f"    stage {first.stage}{which}")
        out.append(f"      {targets[0]:<{width}}  {_shown(first.ours, first.value)}")
        out.append(f"      {one.target:<{width}}  {_shown(first.theirs, first.value)}")
        counts = ", ".join(f"{stage} {count}" for stage, count in first.windows.items())
        out.append(f"    windows that differ, by stage: {counts}")
    return out


def _shown(value: Value, index: int | None) -> str:
    """The one value that matters, a whole row where the lengths differ, or a decision's line."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return value
    return str(value[index]) if index is not None else f"{len(value)} values: {list(value)}"


def _object(file: Path, lines: Sequence[str], found: Sequence[Compared]) -> dict[str, Any]:
    """For --json."""
    windows, decisions = _counts(lines)
    targets = [{"target": one.target, "same": one.first is None, "first": _first(one.first)} for one in found]
    return {"file": str(file), "windows": windows, "decisions": decisions, "targets": targets}


def _first(first: StageDifference | None) -> dict[str, Any] | None:
    if first is None:
        return None
    return {
        "window": first.window,
        "stage": first.stage,
        "value": first.value,
        "ours": first.ours,
        "theirs": first.theirs,
        "windows": dict(first.windows),
    }
