# SPDX-License-Identifier: Apache-2.0
"""earshot identify: who is at a serial port, and where that image comes from."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from codegen.common.errors import printable
from codegen.common.paths import ROOT
from codegen.common.protocol import RESET_CAUSES
from workbench.identity.ask import Sensiml, ask
from workbench.identity.origin import Origin, origin
from workbench.progress import waiting
from workbench.protocol.lines import Boot
from workbench.targets import BAUD
from workbench.targets.serial_port import SerialLink

NAME = "identify"
HELP = "tell who is at a serial port: app, build, model, feature contract, board"
DESCRIPTION = """\
Asks the image at a serial port who it is, and looks for the build and the app that it comes from in this
checkout. Nothing on the device is changed.

  earshot identify /dev/ttyACM0
  earshot identify /dev/ttyACM0 --app my_app     and whether it runs this app: model and features
  earshot identify socket://localhost:4321 --json

With --app, exit code 1 where the image has another model or another feature contract than the app.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which port."""
    parser.add_argument("port", metavar="PORT", help="a device or a pyserial URL")
    parser.add_argument("--baud", type=int, default=BAUD, metavar="N", help=f"of the port (default {BAUD})")
    parser.add_argument("--app", type=Path, metavar="DIR", help="folder with pipeline.toml: is it this one?")
    parser.add_argument(
        "--timeout", type=float, default=5.0, metavar="S", help="seconds until nobody is there (default 5)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Exit code 1: with --app, another model or other features."""
    link = SerialLink(args.port, args.baud)
    try:
        with waiting(f"asking who is at {args.port}"):
            found = ask(link, args.port, args.timeout)
    finally:
        link.close()
    if isinstance(found, Sensiml):
        print(json.dumps({"sensiml": dataclasses.asdict(found)}) if args.json else _sensiml(found, args.port))
        return 1 if args.app is not None else 0
    known = origin(found, args.app)
    if args.json:
        print(json.dumps(_object(found, known)))
    else:
        print("\n".join([*_warnings(found, known, args.app is not None), *_text(found, known)]))
    app = known.app
    differs = args.app is not None and app is not None and not (app.same_model and app.same_contract)
    return 1 if differs else 0


def _sensiml(found: Sensiml, port: str) -> str:
    if found.rate is None:
        return f"A device with SensiML's firmware: it prints results. `earshot monitor {port}` shows them."
    return f"A device with SensiML's firmware, which offers its samples at {found.rate} Hz."


def _warnings(boot: Boot, known: Origin, asked: bool) -> list[str]:
    """What has to be known before all else."""
    app = known.app
    if not asked or app is None:
        return []
    lines = []
    if not app.same_contract:
        lines += [
            f"WARNING: it computes other features than {_short(app.app)}: feature contract "
            f"{boot.contract or 'none'}, the app has {app.contract or 'none'}.",
            "         What it decides says nothing about this app. Build and flash the app's image.",
        ]
    if not app.same_model:
        lines.append(
            f"WARNING: it runs another model than {_short(app.app)}: {boot.model}, the app has {app.model}."
        )
    return lines


def _text(boot: Boot, known: Origin) -> list[str]:
    app = known.app
    build = boot.build or "none (the linker gave none)"
    where = f"{_short(known.build)}" if known.build is not None else "none of the images in build/"
    rows = [
        ("build", f"{build}: {where}"),
        (
            "model",
            f"{boot.model}, {boot.input} bytes in, {boot.output} out"
            + _of(known, app is not None and app.same_model),
        ),
    ]
    if boot.contract is not None:
        rows += [
            ("features", f"contract {boot.contract}" + _of(known, app is not None and app.same_contract)),
            ("sound", f"{boot.rate} Hz, {boot.frames} frames a decision"),
            ("classes", ", ".join(boot.labels)),
        ]
    if boot.image:
        rows.append(("flash", f"CRC-32 {boot.image}"))
    if boot.id:
        rows.append(("chip", boot.id))
    if boot.reset:
        rows.append(("started", RESET_CAUSES.get(boot.reset, boot.reset)))
    if app is None:
        rows.append(("app", "none that is known here: name its folder with --app"))
    version = f", Earshot {boot.version}" if boot.version else ""
    head = f"{boot.name} on {boot.board}, engine {boot.engine}{version}"
    return [printable(head), *(f"  {name:<9} {printable(text)}" for name, text in rows)]


def _of(known: Origin, same: bool) -> str:
    return f", that of {_short(known.app.app)}" if same and known.app is not None else ""


def _short(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _object(boot: Boot, known: Origin) -> dict[str, Any]:
    app = known.app
    return {
        "boot": dataclasses.asdict(boot),
        "build": str(known.build) if known.build is not None else None,
        "app": str(app.app) if app is not None else None,
        "same_model": app.same_model if app is not None else None,
        "same_contract": app.same_contract if app is not None else None,
    }
