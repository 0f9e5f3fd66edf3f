# SPDX-License-Identifier: Apache-2.0
"""The engine tflm: its shim and resolver in C++, its library behind the link, its arena measured by a run."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from SCons.Script import Action, Environment

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from toolbox import tools
from toolbox.exit_code import ExitCode
from toolbox.makers import makers
from toolbox.scons import scons_environment
from toolbox.tflm.found import LIBRARY
from toolbox.tflm.packs import PRE_INCLUDE
from toolbox.tools import board_tools
from toolbox.write_if_changed import write_if_changed, write_whole

_CXX = ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-fno-use-cxa-atexit"]
_CXX += ["-fno-unwind-tables", "-fno-asynchronous-unwind-tables"]


def generate(env: Any) -> None:
    """Where the engine is tflm: compiler, rooms, library. Else nothing is added to an image."""
    options = env["OPTIONS"]
    env.Replace(ENGINE_ROOMS=(), ENGINE_LIBRARY=[], ENGINE_SYSTEM=[], ENGINE_CHECK=[])
    if options.tflm is None:
        return
    tools.need(*board_tools(options.board, options.engine))
    _int8_operators(options)  # a model that this TFLM cannot run is refused before anything is compiled
    env.Replace(CXX="arm-none-eabi-g++")
    env.Tool("g++")
    ours = ("-std=c11", "-mgeneral-regs-only")  # TFLM's headers compute in float
    flags = [*(flag for flag in env["CCFLAGS"] if flag not in ours), *_CXX]
    flags += [f"-D{name}" for name in options.tflm.defines]
    env.Replace(CXXFLAGS=flags, CXXCOM="$CXX -o $TARGET -c $CXXFLAGS $INCLUDES $INPUT")
    system = [word for folder in options.tflm.includes for word in ("-isystem", str(folder))]
    env.Replace(ENGINE_ROOMS=("tflm",), ENGINE_SYSTEM=system, LIBRARIES_LAST=["-lm"])
    env.AddMethod(_sources, "TflmSources")
    env.AddMethod(_arena, "TflmArena")
    env.AddMethod(_measured_sources, "MeasuredSources")
    env.Replace(ENGINE_LIBRARY=env.get("BUILT_LIBRARY") or _library(env), ENGINE_CHECK=[Action(_check, None)])


def _library(env: Any) -> list[Any]:
    """The library that TFLM's own build made, or one of a pack's sources."""
    options = env["OPTIONS"]
    tflm = options.tflm
    if tflm.library is not None:
        return [env.File(str(tflm.library))]
    folder = options.board_folder / "packs"
    foreign = [flag for flag in env["CXXFLAGS"] if not flag.startswith(("-W", "-std", "-g", "-fmax"))]
    before = ["-include", PRE_INCLUDE, "-w", *env["ENGINE_SYSTEM"]]
    own = env.Clone(
        CCCOM="$CC -std=c11 -o $TARGET -c $CXXFLAGS $SOURCE",
        CXXCOM="$CXX -std=c++17 -o $TARGET -c $CXXFLAGS $SOURCE",
    )
    objects, taken = [], Counter[str]()
    for source in tflm.sources:
        cxx = source.file.suffix in (".cc", ".cpp", ".cxx")
        flags = [flag for flag in foreign if cxx or flag not in _CXX]
        taken[source.file.stem] += 1
        count = taken[source.file.stem]
        name = source.file.stem if count == 1 else f"{source.file.stem}_{count}"
        node = own.Object(f"{folder}/{name}.o", str(source.file), CXXFLAGS=[*flags, *before], CPPPATH=[])
        objects += node
    made = own.Command(f"{folder}/{LIBRARY}", objects, Action(_archive, "  AR   $TARGET"))
    return list(made)


def _archive(target: list[Any], source: list[Any], env: Any) -> int:
    """A new archive: one that is added to would keep what is no longer there."""
    file = Path(target[0].get_abspath())
    file.unlink(missing_ok=True)
    words = ["arm-none-eabi-ar", "rcsD", str(file), *(node.get_abspath() for node in source)]
    return subprocess.run(words, check=False).returncode


def _sources(env: Any) -> list[Any]:
    """NAME_flatbuffer.c and NAME_resolver.cc."""
    options = env["OPTIONS"]
    name = options.spec.name
    files = [f"{options.folder}/generated/{name}{end}" for end in ("_flatbuffer.c", "_resolver.cc")]
    inputs = [str(options.spec.file), str(options.spec.classifier.model), *env["ENGINE_LIBRARY"]]
    made = env.Command(files, inputs, Action(_write_sources, "  GEN  ${TARGET.dir}"), OPTIONS=options)
    env.Depends(made, makers())
    env.Precious(made)
    return list(made)


def _arena(env: Any, sources: list[Any]) -> Any:
    """arena.json: what a run of the model in an emulator needs. Kept until model, TFLM or shim change."""
    from toolbox.tflm.arena import emulated

    options = env["OPTIONS"]
    board = emulated(options.board)
    measuring = replace(options, board=board, build=options.folder / "measure")
    inside = Environment(
        tools=["user_errors", "signatures", "toolchain", "quiet", "generated", "tflm", "image"],
        OPTIONS=measuring,
        LOCK=env["LOCK"],
        BUILT_LIBRARY=env["ENGINE_LIBRARY"],  # the cores are the same
    )
    elf = inside.MeasuringImage(sources)
    return env.Command(
        f"{options.folder}/arena.json", elf, Action(_measure, "  MEASURE ${SOURCE}"), BOARD=board
    )[0]


def _measured_sources(env: Any) -> list[Any]:
    """What takes the place of the model's and the app's sources in the measuring image."""
    options = env["OPTIONS"]
    name = options.spec.name
    names = (f"{name}.h", f"{name}_model.c", "measured.c")
    files = [f"{options.folder}/generated/{name}" for name in names]
    inputs = [str(options.spec.file), str(options.spec.classifier.model)]
    made = env.Command(files, inputs, Action(_write_measured, "  GEN  ${TARGET.dir}"), OPTIONS=options)
    env.Depends(made, makers())
    env.Precious(made)
    return list(made)


def _write_sources(target: list[Any], source: list[Any], env: Any) -> None:
    from codegen.app.spec import with_engine
    from codegen.emit.tflm import tflm_sources
    from codegen.passes.app_ends import computed_graph
    from codegen.passes.legalise import load_for

    options = env["OPTIONS"]
    spec = with_engine(options.spec, "tflm")
    graph = computed_graph(spec, load_for("tflm", spec.classifier.model))
    tflm = options.tflm
    write_if_changed(
        [Path(node.get_abspath()) for node in target],
        tflm_sources(spec, graph, tflm.registrations, tflm.version),
    )


def _write_measured(target: list[Any], source: list[Any], env: Any) -> None:
    from codegen.emit.tflm import measured_sources
    from toolbox.tflm.arena import largest_arena

    options = env["OPTIONS"]
    write_if_changed(
        [Path(node.get_abspath()) for node in target],
        measured_sources(options.spec, largest_arena(options.board)),
    )


def _measure(target: list[Any], source: list[Any], env: Any) -> None:
    # An emulator runs it: the workbench's work, in a process of its own.
    words = [sys.executable, "-P", "-m", "workbench.profiling.tflm_arena"]
    words += [source[0].get_abspath(), env["BOARD"].name]
    done = subprocess.run(
        words, cwd=ROOT, env=scons_environment(), stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise ExitCode(done.returncode)
    write_whole(Path(target[0].get_abspath()), done.stdout)


def _int8_operators(options: Any) -> list[str]:
    """The model's operators with int8 kernels alone. UserError: TFLM lacks one of its operators."""
    from codegen.emit.tflm import resolver_of

    lines = resolver_of(options.spec.classifier.model, options.tflm.registrations, options.tflm.version)
    return [line.op for line in lines if line.argument]


def _check(target: list[Any], source: list[Any], env: Any) -> None:
    """Holds the linked image to what the engine promises; an image that breaks it does not stay."""
    from toolbox.tflm.kernels import check_kernels

    options = env["OPTIONS"]
    try:
        check_kernels(Path(target[0].get_abspath()), _int8_operators(options), options.tflm.version)
    except UserError:
        for node in target:
            Path(node.get_abspath()).unlink(missing_ok=True)
        raise


def exists(env: Any) -> bool:
    """Always: generate() says where it cannot be used."""
    return True
