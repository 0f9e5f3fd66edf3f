# SPDX-License-Identifier: Apache-2.0
"""A bare .tflite as an app, so that what builds apps builds it too."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from codegen.app.spec import Classifier, Spec
from codegen.app.spec_file import app_name
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.common.reference import Reference
from codegen.compile import App
from codegen.model.graph import Graph
from codegen.passes.legalise import load_for

_TEXT = """\
# A bare model: no samples, no features, no labels.
[classifier]
model = "model.tflite"
kernels = "{kernels}"
reference = "{reference}"
layer_outputs = {layer_outputs}
"""


def model_app(
    model: Path,
    kernels: str = "small",
    reference: Reference = Reference.LITERT,
    *,
    layer_outputs: bool = False,
    graph: Graph | None = None,
    engine: str = "aot",
) -> App:
    """An app in build/models/<stem>-<hash>/ with a copy of the model. UserError where it cannot be built.

    graph: the model, where it has been read; `model` then only names the app
    engine: that the model is read for; the app names none
    """
    graph = read_model(model, engine) if graph is None else graph
    data = graph.content
    stem = re.sub(r"[^A-Za-z0-9_]+", "_", model.stem)[:24].strip("_") or "model"
    mode = "" if kernels == "small" else f"-{kernels}"
    mode += "-layers" if layer_outputs else ""
    mode += "" if reference is Reference.LITERT else f"-{reference.value}"
    folder = ROOT / "build" / "models" / f"{stem}-{hashlib.sha256(data).hexdigest()[:8]}{mode}"
    folder.mkdir(parents=True, exist_ok=True)
    copy, file = folder / "model.tflite", folder / "pipeline.toml"
    write_whole(copy, data)
    write_whole(file, _text(kernels, reference, layer_outputs).encode())
    classifier = Classifier(copy, kernels=kernels, reference=reference, layer_outputs=layer_outputs)
    return App(Spec(app_name(folder.name), file, classifier, None), graph)


def bare_app(model: Path, kernels: str = "small", reference: Reference = Reference.LITERT) -> App:
    """The same without a folder, for what builds nothing; named after the model's file."""
    graph = read_model(model)
    classifier = Classifier(model.absolute(), kernels=kernels, reference=reference)
    return App(Spec(app_name(model.stem), model.absolute(), classifier, None), graph)


def read_model(model: Path, engine: str = "aot") -> Graph:
    """The model, for an engine; its faults name the file that the user named."""
    if model.is_dir():
        app = (model / "pipeline.toml").is_file()
        remedy = f"For an app: --app {model}" if app else "Give the path of a .tflite model."
        raise UserError("is a folder; a .tflite file is wanted", file=model, remedy=remedy)
    return load_for(engine, model)


def _text(kernels: str, reference: Reference, layer_outputs: bool) -> str:
    return _TEXT.format(kernels=kernels, reference=reference.value, layer_outputs=str(layer_outputs).lower())


def write_whole(file: Path, data: bytes) -> None:
    """The whole file or nothing of it, also where two processes write it at once. Who may read and write it
    stays as it is."""
    mode = 0o644
    if file.is_file():
        if file.read_bytes() == data:
            return
        mode = stat.S_IMODE(file.stat().st_mode)
    handle, name = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(name).chmod(mode)
        Path(name).replace(file)
    except BaseException:  # a full disk, Ctrl-C
        Path(name).unlink()
        raise


def model_files(given: Sequence[Path]) -> list[Path]:
    """The files, and those in the folders."""
    models: list[Path] = []
    for path in given:
        if not path.exists():
            raise UserError("there is no such file", file=path, remedy="Give the path of a .tflite model.")
        inside = (
            sorted(file for file in path.rglob("*.tflite") if file.is_file()) if path.is_dir() else [path]
        )
        if not inside or (path / "pipeline.toml").is_file():
            remedy = (
                f"For an app: --app {path}" if inside else "Give a .tflite file or a folder that holds some."
            )
            raise UserError("is a folder; a .tflite file is wanted", file=path, remedy=remedy)
        models += inside
    return models
