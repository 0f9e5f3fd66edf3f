"""What a user can say to SCons: options and targets, checked, with their help text."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.board import Board, board_names, load_board
from codegen.errors import UserError
from codegen.spec import Spec, with_kernels
from codegen.spec_file import load_spec
from workbench.flash.choose import methods_of

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "smart_lock"


@dataclass(frozen=True)
class BuildOptions:
    """One image to build. Paths are absolute."""

    board: Board
    app: Path  # the folder with pipeline.toml
    spec: Spec
    build: Path
    verbose: bool
    emulator: str | None = None  # None: what fits
    probe: str | None = None  # who flashes: a method, a serial number, or METHOD:SERIAL
    port: str | None = None  # the board's serial port, for its boot line after flashing
    kernels: str | None = None  # in place of the app's own; `spec` has them already

    @property
    def board_folder(self) -> Path:
        """Where everything for this board lies."""
        return self.build / self.board.name

    @property
    def folder(self) -> Path:
        """Where the image of this app lies."""
        return self.board_folder / folder_name(self.app, self.kernels)


def folder_name(app: Path, kernels: str | None) -> str:
    """Of an app's image, beside those of other apps and of the same with other kernels."""
    return app.name if kernels is None else f"{app.name}-{kernels}"


OPTIONS: Mapping[str, str] = {
    "board": "the board to build for, one of:",
    "app": "folder with pipeline.toml and model.tflite (default examples/smart_lock)",
    "build": "where to build (default build)",
    "kernels": "small or fast, in place of what pipeline.toml says; in a folder of its own",
    "engine": "what runs the model: aot, C generated for it (default aot)",
    "emulator": "what emulate runs on: qemu or renode (default: what is installed and knows the board)",
    "probe": "flash: a probe's serial number, a method (jlink, pyocd, ...), or METHOD:SERIAL",
    "port": "flash: the board's serial port (default the probe's)",
    "verbose": "1 shows the commands (default 0)",
}

TARGETS: Mapping[str, str] = {
    "firmware": "the image: firmware.elf, .bin, .hex, .map and the table of sizes (default)",
    "generated": "its generated sources alone",
    "emulate": "runs the app's Robot suites on an emulator; results in build/<board>/<app>/emulate/",
    "flash": "the image onto the board: verified, reset, asked who it is",
    "counting": "counting.elf, from which `earshot profile` counts instructions",
}


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
    engine = arguments.get("engine", "aot")
    if engine == "tflm":
        raise UserError(
            "engine=tflm is not available yet", remedy="Leave it out: engine=aot gives the same scores."
        )
    if engine != "aot":
        raise UserError(f'there is no engine "{engine}"', remedy="The engine is aot.")
    if arguments.get("verbose", "0") not in ("0", "1"):
        raise UserError(
            f"verbose={arguments['verbose']} is not allowed", remedy="Write verbose=1 or verbose=0."
        )
    kernels = arguments.get("kernels")
    if kernels not in (None, "small", "fast"):
        raise UserError(f"kernels={kernels} is not allowed", remedy="Write kernels=small or kernels=fast.")
    board = load_board(arguments["board"])
    if "flash" in targets:
        methods_of(board)
    app = (launch / arguments["app"]).resolve() if "app" in arguments else EXAMPLE
    spec = with_kernels(load_spec(app), kernels)
    if "emulate" in targets:
        from workbench.suites.emulator import check

        check(spec, board.name, arguments.get("emulator"))
    return BuildOptions(
        board=board,
        app=spec.file.parent,
        spec=spec,
        build=(launch / arguments["build"]).resolve() if "build" in arguments else ROOT / "build",
        verbose=arguments.get("verbose") == "1",
        emulator=arguments.get("emulator"),
        probe=arguments.get("probe"),
        port=arguments.get("port"),
        kernels=kernels,
    )


def _known(what: str, word: str, known: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return (f'Did you mean "{near[0]}"? ' if near else "") + f"{what}: {', '.join(known)}."


def _unknown_word(word: str) -> str:
    from workbench.commands.list import COMMANDS

    commands = [name.replace("_", "-") for name in COMMANDS]
    near = difflib.get_close_matches(word, [*commands, *TARGETS], 1)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    return f"{hint}`earshot --help` lists the commands, `scons` alone the targets."
