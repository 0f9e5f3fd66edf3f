"""earshot generate: the C sources of an app for somebody else's build."""

from __future__ import annotations

import argparse
from pathlib import Path

from workbench.package import package, write_package

NAME = "generate"
HELP = "write the C sources of an app, with their runtime, for your own build"
DESCRIPTION = """\
Writes a folder with everything between samples and decisions as C11: the sources generated from pipeline.toml
and the model, the runtime they call, an example main.c, a script that builds it, and a README. The folder
needs nothing of Earshot. What you add to it or change in it is never overwritten.

  earshot generate --app examples/smart_lock -o sources
  sh sources/build.sh
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--app", type=Path, required=True, metavar="DIR", help="folder with pipeline.toml")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write")


def run(args: argparse.Namespace) -> int:
    files = package(args.app)
    write_package(files, args.output)
    print(f"{len(files)} files in {args.output}; sh {args.output}/build.sh builds the example")
    return 0
