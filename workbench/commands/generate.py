# SPDX-License-Identifier: Apache-2.0
"""earshot generate: the C sources of an app or a model for somebody else's build."""

from __future__ import annotations

import argparse
from pathlib import Path

from codegen.app.fit import remarks
from codegen.common.errors import UserError
from codegen.compile import compile_app
from codegen.emit.modes import mode_plan, mode_table
from workbench.export.package import package, write_package
from workbench.host import engine as inference
from workbench.progress import remark, waiting

NAME = "generate"
HELP = "write the C sources of an app or a model, with their runtime, for your own build"
DESCRIPTION = """\
Writes a folder with everything between samples and decisions as C11: the sources generated from pipeline.toml
and the model, the runtime they call, an example main.c, a script that builds it, and a README. Of a model
alone: everything between its input tensor and its output. The folder needs nothing of Earshot. What you add
to it or change in it is never overwritten. Of an app it prints which layers are incremental, and why the
others are not.

  earshot generate --app examples/smart_lock -o sources
  earshot generate model.tflite -o sources
  sh sources/build.sh
"""
_KERNELS = ("small", "fast")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", type=Path, metavar="MODEL.tflite", help="an int8 TFLite model")
    parser.add_argument(
        "--app", type=Path, metavar="DIR", help="instead of a model: a folder with pipeline.toml"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--kernels",
        choices=_KERNELS,
        help="of a model: one copy of each kernel (small, the default), or one a layer (fast)",
    )
    inference.add_reference(parser)


def run(args: argparse.Namespace) -> int:
    if args.app is not None and args.kernels is not None:
        remedy = f'Write kernels = "{args.kernels}" under [classifier] of its pipeline.toml.'
        raise UserError("--kernels is for a model alone; an app says it itself", remedy=remedy)
    app = inference.read_app(args, args.kernels or _KERNELS[0], several=True)
    with waiting("generating C"):
        compiled = compile_app(app, engine="aot")
        files = package(compiled)
    members = (compiled, *compiled.others)
    for text in dict.fromkeys(text for one in members for text in remarks(one.spec, one.graph)):
        remark(text)
    write_package(files, args.output)
    print(f"{len(files)} files in {args.output}; sh {args.output}/build.sh builds the example")
    if args.app is not None:
        for one in members:
            title = f"{one.spec.title}\n" if compiled.others else ""
            print(f"\n{title}{mode_table(mode_plan(one))}", end="")
    return 0
