# SPDX-License-Identifier: Apache-2.0
"""earshot studio: local pages on which recordings are labelled, labels checked, and devices watched."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

from toolbox import environment
from workbench.progress import remark
from workbench.studio.folder import open_folder
from workbench.studio.heard import Listener
from workbench.studio.labels import Labels
from workbench.studio.live import Live
from workbench.studio.recorder import Recorder
from workbench.studio.studio import Studio

NAME = "studio"
HELP = "record, label, check labels and watch a device, on pages in your browser"
DESCRIPTION = """\
Serves pages on this computer, and opens the browser on them. Record: takes of this computer's microphone or
of a board's, kept with their label. Label: the recordings of a folder, their waveforms and spectrograms, and
the segments that label them; these are written at once into the folder's labels.csv (or its Audacity label
tracks), which `data`, `train` and `evaluate` read. Data: how much there is of what, and what is wrong with
it. Train and Device: the commands that fit, judge, build and flash the app. Live: what a device hears, while
it hears it.

  earshot studio recordings/
  earshot studio recordings/monday.csv --app examples/smart_lock
  earshot studio recordings/ --port 8300 --no-browser

With --app they also show where the app's gate opens and what it decides. Nothing leaves this computer: they
are served on 127.0.0.1, to whoever knows the address that is printed. Ctrl-C ends it.
The first start installs the pages' toolkit into .venv-studio (90 MB). docs/studio.md tells more.
"""
ENVIRONMENT = ".venv-studio"  # the only one with the toolkit


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which folder, where it is served."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="recordings, or a CSV of labels beside them (default: this folder)",
    )
    parser.add_argument("--app", type=Path, metavar="DIR", help="folder with pipeline.toml: who listens")
    parser.add_argument(
        "--port", type=_port, default=0, metavar="N", help="of 127.0.0.1 (default: a free one)"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address only")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f'"{text}" is no port; 1024 to 65535 are for everybody')
    return int(text)


def run(args: argparse.Namespace) -> int:
    """0: Ctrl-C ended it. What cannot be used is a UserError."""
    folder = open_folder(args.folder)
    app = args.app.resolve() if args.app is not None else None
    listener = Listener(app) if app is not None else None
    if importlib.util.find_spec("nicegui") is None:
        environment.go_on_in(ENVIRONMENT, "studio", "NiceGUI", over_base=True)
    from workbench.studio.server import serve

    def say(address: str) -> None:
        print(f"The studio of {folder.root} is at\n\n  {address}\n\nCtrl-C ends it.", flush=True)

    recorder = Recorder()
    studio = Studio(folder, app, Labels(folder), listener, Live(app, recorder), recorder)
    serve(studio, args.port, browser=not args.no_browser, say=say)
    for running in (studio.training, studio.building, studio.live):
        running.stop()
    studio.recorder.stop()
    if studio.recorder.takes:
        remark(f"{len(studio.recorder.takes)} takes were not kept")
    return 0
