# SPDX-License-Identifier: Apache-2.0
"""What a user can say to SCons: options and targets, checked, with their help text."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codegen.app.spec import Spec, with_kernels
from codegen.app.spec_file import load_spec
from codegen.board.description import Board, board_names, load_board
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.emit.mlperf import TASKS, check_energy

if TYPE_CHECKING:
    from toolbox.tflm.found import Tflm

EXAMPLE = ROOT / "examples" / "smart_lock"

# How all C is compiled; here rather than beside SCons, so that tests compile as it does.
C_FLAGS = (
    "-std=c11",
    "-O2",
    "-g",
    "-gno-record-gcc-switches",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-common",
    "-fmax-errors=20",
)
HOSTED_FLAGS = ("-fPIC",)
# Of a model in an image, where each kilobyte counts: firmware/nn/noipa.h says why the two go together.
MODEL_FLAGS = ("-fno-delete-null-pointer-checks", "-DNN_IPA")


@dataclass(frozen=True)
class BuildOptions:
    """One image to build. Paths are absolute."""

    board: Board
    app: Path  # the folder with pipeline.toml
    spec: Spec
    build: Path
    verbose: bool
    emulator: str | None = None  # None: what fits
    suites: str | None = None  # "all" or "short"; None: what suits the emulator
    jobs: int | None = None  # suites that run side by side, a Renode each; None: as many as there are cores
    report: bool = False  # the workbench makes it, and asks SCons for what it needs
    after: tuple[str, ...] = ()  # what the workbench does once the rest is built: emulate, flash
    accept: bool = False  # the report
    probe: str | None = None  # who flashes: a method, a serial number, or METHOD:SERIAL
    port: str | None = None  # the board's serial port, for its boot line after flashing
    kernels: str | None = None  # in place of the app's own; `spec` has them already
    engine: str = "aot"
    tflm: Tflm | None = None  # where the engine is tflm
    arena_limit: int | None = None  # bytes that TFLM's arena may have
    mlperf: str | None = None  # the task of MLPerf Tiny whose serial interface the image has
    energy: bool = False  # of the benchmark, with mlperf: timestamps are edges of a pin

    @property
    def board_folder(self) -> Path:
        """Where everything for this board lies."""
        return self.build / self.board.name

    @property
    def folder(self) -> Path:
        """Where the image of this app lies."""
        return self.board_folder / folder_name(
            self.app, self.kernels, self.engine, self.mlperf, energy=self.energy
        )


def folder_name(
    app: Path,
    kernels: str | None,
    engine: str = "aot",
    mlperf: str | None = None,
    *,
    energy: bool = False,
) -> str:
    """Of an app's image, beside those of other apps and of the same with other kernels, engine or main."""
    words = [kernels, None if engine == "aot" else engine, f"mlperf-{mlperf}" if mlperf else None]
    words += ["energy" if energy else None]
    return "-".join([app.name, *(word for word in words if word)])


ENGINES = ("aot", "tflm")
MODES = ("performance", "energy")  # of MLPerf Tiny
MOST_JOBS = 64

OPTIONS: Mapping[str, str] = {
    "board": "the board to build for, one of:",
    "app": "folder with pipeline.toml and model.tflite (default examples/smart_lock)",
    "build": "where to build (default build)",
    "kernels": "small or fast, in place of what pipeline.toml says; in a folder of its own",
    "engine": "what runs the model: aot, C generated for it, or tflm, TensorFlow Lite Micro",
    "tflm": "its checkout, where its library is built; default EARSHOT_TFLM, else CMSIS-Packs",
    "arena": "the most bytes that TFLM's arena may take (default: what it needs)",
    "mlperf": "a task of MLPerf Tiny, whose runner the image talks to: kws, ad, ic, ic2, vww or sww",
    "mode": "with mlperf: performance (default), or energy, in which pins tell times in place of text",
    "emulator": "what emulate runs on: qemu or renode (default: what is installed and knows the board)",
    "suites": "all of emulate's cases, or a short set (default: short under Renode, else all)",
    "jobs": "emulate under Renode: suites side by side, a Renode each (default: a core each)",
    "probe": "flash: a probe's serial number, a method (jlink, pyocd, ...), or METHOD:SERIAL",
    "port": "flash: the board's serial port (default the probe's)",
    "accept": "1 stores what `report` found in budgets.toml and decisions.json (default 0)",
    "verbose": "1 shows the commands (default 0)",
}

TARGETS: Mapping[str, str] = {
    "firmware": "the image: firmware.elf, .bin, .hex, .map and the table of sizes (default)",
    "generated": "its generated sources alone",
    "report": "what it takes and decides, beside what was accepted; a page in build/<board>/<app>/report/",
    "emulate": "runs the app's Robot suites on an emulator; results in build/<board>/<app>/emulate/",
    "flash": "the image onto the board: verified, reset, asked who it is",
    "counting": "counting.elf, from which `earshot profile` counts instructions",
}


AFTER = ("emulate", "flash")  # they may take long, so the build is over before, and others may build


def help_text() -> str:
    """What bare `scons` prints."""
    lines = ["scons board=BOARD [app=DIR] [option=value] [target]", "", "Options:"]
    lines += [f"  {name + '=':<11}{text}" for name, text in OPTIONS.items()]
    at = lines.index(f"  {'board=':<11}{OPTIONS['board']}")
    boards = [load_board(name) for name in board_names()]
    lines[at + 1 : at + 1] = [f"{'':<13}{board.name:<14}{board.description}" for board in boards]
    lines += ["", "Targets:"]
    lines += [f"  {name:<11}{text}" for name, text in TARGETS.items()]
    lines += [f"  {'--list-boards':<13} every board: core, clock, memories, and what tests have proven where"]
    lines += [f"  {'-c':<11}removes what was built", ""]
    lines += ["The image lies in build/<board>/<app>/. Commands of Earshot itself: earshot --help"]
    return "\n".join(lines)


def read_options(arguments: Mapping[str, str], targets: Sequence[str], launch: Path) -> BuildOptions:
    """The options of a command line, or UserError. `launch`: the folder the user stands in."""
    for name in arguments:
        if name not in OPTIONS:
            raise UserError(f'there is no option "{name}"', remedy=_known("Options", name, OPTIONS))
    for target in targets:
        if target not in TARGETS and "/" not in target:
            raise UserError(f'there is no target and no command "{target}"', remedy=_unknown_word(target))
    if "board" not in arguments:
        raise UserError("no board is named", remedy=f"Add board=NAME, one of: {', '.join(board_names())}.")
    _check_words(arguments, targets)
    kernels = arguments.get("kernels")
    if kernels not in (None, "small", "fast"):
        raise UserError(f"kernels={kernels} is not allowed", remedy="Write kernels=small or kernels=fast.")
    board = load_board(arguments["board"])
    app = (launch / arguments["app"]).resolve() if "app" in arguments else EXAMPLE
    spec = with_kernels(load_spec(app, several=True), kernels)
    engine = engine_of(spec, board, arguments.get("engine"))
    for option in ("tflm", "arena"):
        if option in arguments and engine != "tflm":
            raise UserError(f"{option}= is of the engine tflm, and this is aot", remedy="Add engine=tflm.")
    mlperf = arguments.get("mlperf")
    if spec.others:
        _check_several(spec, engine, mlperf, targets)
    if mlperf is not None:
        _check_mlperf(mlperf, engine, targets)
    energy = _energy(arguments.get("mode"), mlperf, board)
    build = (launch / arguments["build"]).resolve() if "build" in arguments else ROOT / "build"
    return BuildOptions(
        board=board,
        app=spec.file.parent,
        spec=spec,
        build=build,
        verbose=arguments.get("verbose") == "1",
        emulator=arguments.get("emulator"),
        suites=arguments.get("suites"),
        jobs=_jobs(arguments["jobs"]) if "jobs" in arguments else None,
        report="report" in targets,
        after=tuple(target for target in targets if target in AFTER),
        accept=arguments.get("accept") == "1",
        probe=arguments.get("probe"),
        port=arguments.get("port"),
        kernels=kernels,
        engine=engine,
        tflm=_tflm(arguments.get("tflm"), board, launch, build) if engine == "tflm" else None,
        arena_limit=_arena(arguments["arena"]) if "arena" in arguments else None,
        mlperf=mlperf,
        energy=energy,
    )


def _check_several(spec: Spec, engine: str, mlperf: str | None, targets: Sequence[str]) -> None:
    """UserError for what takes an app with one classifier."""
    words = [f"engine={engine}"] if engine != "aot" else []
    words += [f"mlperf={mlperf}"] if mlperf is not None else []
    words += [target for target in targets if target == "report"]
    if words:
        raise UserError(
            f"there are {len(spec.members)} classifiers, and {words[0]} is of an app with one",
            file=spec.file,
            remedy="Write an app of its own for it, in a folder of its own, with one [classifier].",
        )


def _check_mlperf(task: str, engine: str, targets: Sequence[str]) -> None:
    """UserError where there is no such task, or the image would not be the one that other words mean."""
    if task not in TASKS:
        raise UserError(f"mlperf={task} is no task", remedy=f"Tasks of MLPerf Tiny: {', '.join(TASKS)}.")
    if engine != "aot":
        raise UserError(f"mlperf= is of the engine aot, and this is {engine}", remedy="Leave engine= out.")
    for target in targets:
        if target in ("report", "counting", *AFTER):
            raise UserError(
                f"{target} is of an image that speaks Earshot's own lines, not with mlperf=",
                remedy="Build firmware; `earshot mlperf --help` tells how it is run.",
            )


def _energy(mode: str | None, mlperf: str | None, board: Board) -> bool:
    """Whether the image has the benchmark's energy mode. UserError where it cannot, or is for none."""
    if mode not in (None, *MODES):
        raise UserError(f"mode={mode} is not allowed", remedy=f"Write mode={' or mode='.join(MODES)}.")
    if mode is not None and mlperf is None:
        remedy = f"Add mlperf=TASK, one of: {', '.join(TASKS)}."
        raise UserError("mode= is of an image for MLPerf Tiny, and this is none", remedy=remedy)
    if mlperf is None or mode != "energy":
        return False
    check_energy(mlperf, board)
    return True


def _check_words(arguments: Mapping[str, str], targets: Sequence[str]) -> None:
    """UserError for an option of 0 and 1 that is neither, and for targets that do not go together."""
    for name in ("verbose", "accept"):
        if arguments.get(name, "0") not in ("0", "1"):
            raise UserError(f"{name}={arguments[name]} is not allowed", remedy=f"Write {name}=1 or {name}=0.")
    if arguments.get("suites", "all") not in ("all", "short"):
        what = f"suites={arguments['suites']} is not allowed"
        raise UserError(what, remedy="Write suites=all or suites=short.")
    if "report" in targets and len(targets) > 1:
        raise UserError("report is made alone", remedy="Ask for the other targets first.")


def engine_of(spec: Spec, board: Board, named: str | None = None) -> str:
    """The engine of an image: the one named, else that of pipeline.toml.

    On the computer the engine aot stands in for tflm: it computes TFLM's bits there, and `features` and
    training need nothing of TFLM.
    """
    if named is not None and named not in ENGINES:
        raise UserError(f'there is no engine "{named}"', remedy=f"Engines: {', '.join(ENGINES)}.")
    if named is None and board.hosted:
        return "aot"
    return named or spec.classifier.engine


def _tflm(named: str | None, board: Board, launch: Path, build: Path) -> Tflm:
    from toolbox.tflm.found import find

    return find(launch / named if named is not None else None, board, build)


def _arena(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise UserError(f"arena={text} is not allowed", remedy="Write a number of bytes: arena=16384.")
    return int(text)


def _jobs(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_JOBS:
        raise UserError(
            f"jobs={text} is not allowed", remedy=f"Write a number from 1 to {MOST_JOBS}: jobs=2."
        )
    return int(text)


def _known(what: str, word: str, known: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return (f'Did you mean "{near[0]}"? ' if near else "") + f"{what}: {', '.join(known)}."


def _unknown_word(word: str) -> str:
    # The workbench lies above: its commands are known here by their files alone.
    files = (ROOT / "workbench" / "commands").glob("[a-z]*.py")
    commands = [file.stem.replace("_", "-") for file in files if file.stem != "list"]
    near = difflib.get_close_matches(word, [*commands, *TARGETS], 1)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    return f"{hint}`earshot --help` lists the commands, `scons` alone the targets."
