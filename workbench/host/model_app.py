# SPDX-License-Identifier: Apache-2.0
"""A bare .tflite as an app, so that what builds apps builds it too."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from codegen.app.spec import Classifier, Spec
from codegen.app.spec_file import app_name
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.common.reference import Reference
from codegen.compile import App
from codegen.model.graph import Graph
from codegen.passes.legalise import load_graph

_TEXT = """\
# A bare model: no samples, no features, no labels.
[classifier]
model = "model.tflite"
kernels = "{kernels}"
reference = "{reference}"
every_layer = {every_layer}
"""


def model_app(
    model: Path,
    kernels: str = "small",
    reference: Reference = Reference.LITERT,
    *,
    every_layer: bool = False,
) -> Path:
    """build/models/<stem>-<hash>/ with a copy of the model. UserError where the model cannot be built."""
    _graph(model)
    data = model.read_bytes()
    stem = re.sub(r"[^A-Za-z0-9_]+", "_", model.stem)[:24].strip("_") or "model"
    mode = "" if kernels == "small" else f"-{kernels}"
    mode += "-layers" if every_layer else ""
    mode += "" if reference is Reference.LITERT else f"-{reference.value}"
    folder = ROOT / "build" / "models" / f"{stem}-{hashlib.sha256(data).hexdigest()[:8]}{mode}"
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "model.tflite", data)
    write_whole(folder / "pipeline.toml", _text(kernels, reference, every_layer).encode())
    return folder


def bare_app(model: Path, kernels: str = "small", reference: Reference = Reference.LITERT) -> App:
    """The same without a folder, for what builds nothing; named after the model's file."""
    graph = _graph(model)
    classifier = Classifier(model.absolute(), kernels=kernels, reference=reference)
    return App(Spec(app_name(model.stem), model.absolute(), classifier, None), graph)


def _graph(model: Path) -> Graph:
    """The model; its faults are reported of the file that the user named."""
    if model.is_dir():
        app = (model / "pipeline.toml").is_file()
        remedy = f"For an app: --app {model}" if app else "Give the path of a .tflite model."
        raise UserError("is a folder; a .tflite file is wanted", file=model, remedy=remedy)
    return load_graph(model)


def _text(kernels: str, reference: Reference, every_layer: bool) -> str:
    return _TEXT.format(kernels=kernels, reference=reference.value, every_layer=str(every_layer).lower())


def write_whole(file: Path, data: bytes) -> None:
    """The whole file or nothing of it, also where two processes write it at once."""
    if file.is_file() and file.read_bytes() == data:
        return
    handle, name = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
    Path(name).chmod(0o644)
    Path(name).replace(file)
