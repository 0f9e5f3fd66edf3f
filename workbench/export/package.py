# SPDX-License-Identifier: Apache-2.0
"""A folder of C sources for somebody else's build: what `generate` writes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.common.render import render
from codegen.compile import Compiled
from codegen.emit.model import describe
from codegen.emit.sources import named_members, sources
from codegen.model.graph import Graph, Tensor

C_TYPES = {"float32": "float", **{name: f"{name}_t" for name in ("int8", "uint8", "int16", "int32")}}
MANIFEST = "files.txt"
_INCLUDE = re.compile(r'^\s*#\s*include "([^"]+)"', re.MULTILINE)
BUILT = "build"  # where build.sh puts the program; not ours, and no reason to refuse


def package(compiled: Compiled) -> dict[str, bytes]:
    """File name -> content: the generated sources, their runtime, an example with its build, the licence."""
    spec, graph = compiled.spec, compiled.graph
    texts = sources(compiled)
    del texts["app.c"]  # for firmware/device alone
    if spec.pipeline is not None:
        for file in sorted((ROOT / "firmware/pipeline").glob("*.c")):
            texts[f"pipeline/{file.name}"] = file.read_text(encoding="utf-8")
    named = {"name": spec.name, "members": named_members(compiled)}
    if compiled.others:
        texts[f"{spec.name}_members.h"] = render("members.h.in", **named)
        texts[f"{spec.name}_members.c"] = render("members.c.in", **named)
    _add_headers(texts)
    rooms = sorted({name.split("/")[0] for name in texts if "/" in name}, reverse=True)
    values = {
        **named,
        "pipeline": spec.pipeline,
        "input": _end(graph, graph.inputs, graph.input_bytes),
        "output": _end(graph, graph.outputs, graph.output_bytes),
        "one_ended": graph.one_ended,
        "compiled": (compiled, *compiled.others),
        "variables": graph.variables,
        "describe": describe,
        "c_type": C_TYPES,
    }
    texts["main.c"] = render("example.c.in", **values)
    files_c = sorted(name for name in texts if name.endswith(".c"))
    texts["build.sh"] = render("build.sh.in", sources=files_c, **values)
    members = f"{spec.name}_members.h"
    about = {"main.c": "the example: all that a program has to do"}
    about[members if members in texts else f"{spec.name}.h"] = "what to include"
    for one in (compiled, *compiled.others):
        about[f"{one.spec.name}_model.c"] = "the model: constants, one struct a layer, one list of calls"
    if spec.pipeline is not None:
        about[f"{spec.name}_pipeline.c"] = "tables and settings of every stage"
    about[", ".join(f"{room}/" for room in rooms)] = "the runtime"
    texts["README.txt"] = render("readme.txt.in", about=about, **values)
    texts["LICENSE"] = (ROOT / "LICENSE").read_text(encoding="utf-8")
    files = {name: text.encode("utf-8") for name, text in sorted(texts.items())}
    files[MANIFEST] = "".join(f"{_digest(data)}  {name}\n" for name, data in files.items()).encode("utf-8")
    return files


def _end(graph: Graph, indices: Sequence[int], nbytes: int) -> Tensor:
    """What run() is given or gives: the tensor, or the bytes of several."""
    if len(indices) == 1:
        return graph.tensors[indices[0]]
    return Tensor(-1, "", (1, nbytes), "uint8")


def _add_headers(texts: dict[str, str]) -> None:
    """The runtime's headers that the texts include, and those that these include."""
    waiting = list(texts.values())
    while waiting:
        for name in _INCLUDE.findall(waiting.pop()):
            file = ROOT / "firmware" / name
            if name not in texts and file.is_file():
                texts[name] = file.read_text(encoding="utf-8")
                waiting.append(texts[name])


def write_package(files: dict[str, bytes], folder: Path) -> None:
    """Writes the files; into a folder that exists only where all in it came from here and is unchanged."""
    if folder.exists() and not folder.is_dir():
        raise UserError("is a file; a folder is wanted", file=folder)
    stale: list[Path] = []
    if folder.is_dir():
        stale = _ours(folder)
    try:
        for file in stale:
            file.unlink()
        for name, data in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=error.filename or folder) from None


def _ours(folder: Path) -> list[Path]:
    """All files in the folder, when each is as a former run wrote it; UserError otherwise."""
    remedy = "Give another folder, or empty this one."
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink()]
    found = [path for path in found if path.relative_to(folder).parts[0] != BUILT]
    listed: dict[Path, str] = {}
    manifest = folder / MANIFEST
    if manifest.is_file():
        for line in manifest.read_text(encoding="utf-8", errors="replace").splitlines():
            digest, _, name = line.partition("  ")
            listed[folder / name] = digest
    for path in found:
        if path == manifest:
            continue
        if path not in listed:
            raise UserError("was not made by generate; nothing is overwritten", file=path, remedy=remedy)
        if path.is_symlink() or _digest(path.read_bytes()) != listed[path]:
            raise UserError("was changed after it was made; nothing is overwritten", file=path, remedy=remedy)
    return found


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
