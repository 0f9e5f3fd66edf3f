# SPDX-License-Identifier: Apache-2.0
"""Sources made by codegen: those of the board, and those of the app."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from SCons.Script import Action

from codegen.app.contract import contract_file
from codegen.app.spec import source_names
from toolbox.makers import makers
from toolbox.tflm.arena import granted
from toolbox.write_if_changed import write_if_changed


def generate(env: Any) -> None:
    """Adds env.GeneratedSources(), and the board's part of them alone."""
    env.AddMethod(_generated_sources, "GeneratedSources")
    env.AddMethod(_board_sources, "BoardSources")


def _generated_sources(env: Any) -> list[Any]:
    """The nodes of every generated file; each folder is one action."""
    options = env["OPTIONS"]
    app_names = source_names(options.spec)
    if options.mlperf is not None:
        app_names.append("mlperf.c")
    app_files = [f"{options.folder}/generated/{name}" for name in app_names]
    inputs = [str(options.spec.file)]
    for member in options.spec.members:
        inputs.append(str(member.classifier.model))
        if contract_file(member).is_file():
            inputs.append(str(contract_file(member)))
    engine = env.TflmSources() if options.tflm is not None else []
    arena = env.TflmArena(engine) if options.tflm is not None else None
    app = env.Command(app_files, inputs, Action(_app, "  GEN  ${TARGET.dir}"), OPTIONS=options, ARENA=arena)
    if arena is not None:
        env.Depends(app, [arena, env.Value(options.arena_limit)])
    _keep(env, app)
    return [*_board_sources(env), *app, *engine]


def _board_sources(env: Any) -> list[Any]:
    """board.h, the protocol's table, and for a chip its vectors and linker script."""
    options = env["OPTIONS"]
    board_names = ["board.h", "protocol_table.h", "protocol_table.c"]
    board_names += [] if options.board.hosted else ["vectors.c", "linker.ld"]
    board_files = [f"{options.board_folder}/board/{name}" for name in board_names]
    board = env.Command(
        board_files,
        env.Glob("#boards/*/board.toml"),
        Action(_board, "  GEN  ${TARGET.dir}"),
        OPTIONS=options,
    )
    _keep(env, board)
    return list(board)


def _keep(env: Any, nodes: list[Any]) -> None:
    """They are made anew when the generator changes; a file whose text stays keeps its time."""
    env.Depends(nodes, [*makers(), env.File("#pyproject.toml")])  # the version is in it
    env.Precious(nodes)


def _board(target: list[Any], source: list[Any], env: Any) -> None:
    from codegen.emit.board import board_sources
    from codegen.emit.protocol import protocol_sources

    write_if_changed(_files(target), board_sources(env["OPTIONS"].board) | protocol_sources())


def _app(target: list[Any], source: list[Any], env: Any) -> None:
    from codegen.compile import compile_app
    from codegen.emit.mlperf import mlperf_source
    from codegen.emit.sources import sources

    options = env["OPTIONS"]
    arena = None
    if env["ARENA"] is not None:
        arena = granted(Path(env["ARENA"].get_abspath()), options.arena_limit, options.spec.file)
    engine = "aot" if arena is None else "tflm"
    compiled = compile_app(options.app, options.kernels, engine)
    texts = sources(compiled, arena)
    if options.mlperf is not None:
        texts |= mlperf_source(options.mlperf, compiled.graph, options.spec, energy=options.energy)
    write_if_changed(_files(target), texts)


def _files(target: list[Any]) -> list[Path]:
    return [Path(node.get_abspath()) for node in target]


def exists(env: Any) -> bool:
    """Always."""
    return True
