"""Sources made by codegen: those of the board, and those of the app."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from SCons.Script import Action

from codegen.contract import contract_file


def generate(env: Any) -> None:
    """Adds env.GeneratedSources()."""
    env.AddMethod(_generated_sources, "GeneratedSources")


def _generated_sources(env: Any) -> list[Any]:
    """The nodes of every generated file; each folder is one action."""
    options = env["OPTIONS"]
    makers = env.Glob("#codegen/*.py") + env.Glob("#codegen/*/*.py") + env.Glob("#templates/*.in")

    board_names = ["board.h"] if options.board.hosted else ["board.h", "vectors.c", "linker.ld"]
    board_files = [f"{options.board_folder}/board/{name}" for name in board_names]
    board = env.Command(
        board_files,
        env.Glob("#boards/*/board.toml"),
        Action(_board, "  GEN  ${TARGET.dir}"),
        OPTIONS=options,
    )

    name = options.spec.name
    app_names = [f"{name}.h", f"{name}_model.c", "app.c"]
    if options.spec.pipeline is not None:
        app_names.append(f"{name}_pipeline.c")
    app_files = [f"{options.folder}/generated/{name}" for name in app_names]
    inputs = [str(options.spec.file), str(options.spec.classifier.model)]
    if contract_file(options.spec).is_file():
        inputs.append(str(contract_file(options.spec)))
    app = env.Command(app_files, inputs, Action(_app, "  GEN  ${TARGET.dir}"), OPTIONS=options)

    for nodes in (board, app):
        env.Depends(nodes, makers)
        env.Precious(nodes)  # a file whose text stays keeps its time
    return [*board, *app]


def _board(target: list[Any], source: list[Any], env: Any) -> None:
    from codegen.board_sources import board_sources

    _write(target, board_sources(env["OPTIONS"].board))


def _app(target: list[Any], source: list[Any], env: Any) -> None:
    from codegen.sources import generate as app_sources

    _write(target, app_sources(env["OPTIONS"].app, env["OPTIONS"].kernels))


def _write(target: list[Any], texts: dict[str, str]) -> None:
    """Each text into its file, where it differs."""
    files = {Path(str(node)).name: Path(node.get_abspath()) for node in target}
    if files.keys() != texts.keys():
        raise RuntimeError(f"expected {sorted(files)}, generated {sorted(texts)}")
    for name, file in files.items():
        if not file.is_file() or file.read_text() != texts[name]:
            file.write_text(texts[name])


def exists(env: Any) -> bool:
    """Always."""
    return True
