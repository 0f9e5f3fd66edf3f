# SPDX-License-Identifier: Apache-2.0
"""A Knowledge Pack of SensiML's Analytics Studio: model.json and the .tflite beside it.

model.json names models and classes (https://sensiml.com/documentation/, Open Gateway, class names). It says
nothing of window, gate, MFCC and scale: those of the Smart Lock tutorial are written, with a comment. How its
device code makes the model's input of the features (offset, rounding, layout) and compares the threshold is
the same for each pack of that kind.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.app.fit import check
from codegen.app.keys import LABEL_LENGTH_MAX, UNKNOWN
from codegen.app.spec import Layout, Mfcc
from codegen.app.spec_file import FILE_NAME, load_spec
from codegen.common.errors import UserError
from codegen.common.render import shape_text
from codegen.passes.legalise import load_graph
from workbench.importing.published import in_comment, need_new, shown

DESCRIPTIONS = "ModelDescriptions"
_AGAIN = "Give the model.json of a Knowledge Pack as it is."
_TOML = """\
# {name}, a Knowledge Pack of SensiML, imported from {file}.
# It names the classes alone. Window, gate, MFCC and scale below are those of SensiML's Smart Lock tutorial:
# where the pack's pipeline had others, write them here. See docs/pipeline.md.

[audio]
sample_rate = 16000

[window]
size = 400
stride = 400

[gate]
threshold = 600
backoff = {backoff}

[mfcc]
cepstra = {cepstra}

[cascade]
frames = {frames}

[classifier]
model = "model.tflite"
layout = "{layout}"
offset = 127                         # as SensiML trains
rounding = "zero"                    # as its device code rounds

[decision]
labels = [{labels}]
threshold = 0.8046875                # 206/256: its 0.80
"""


@dataclass(frozen=True)
class Imported:
    """What a folder was made of."""

    folder: Path
    name: str
    labels: tuple[str, ...]
    frames: int
    layout: Layout


def import_pack(file: Path, data: dict[str, Any], folder: Path) -> Imported:
    """Writes pipeline.toml and model.tflite into a new folder. UserError with what the pack lacks; then
    nothing is written.

    data: what `file` holds
    """
    name, labels = _described(file, data)
    model = _model(file)
    need_new(folder)
    graph = load_graph(model)
    frames, layout = _input(model, graph.input.shape)
    if graph.output.size != len(labels):
        raise UserError(
            f"has {graph.output.size} outputs, and {file.name} names {len(labels)} classes",
            file=model,
            remedy="Give the two files of one pack.",
        )
    text = _TOML.format(
        name=in_comment(name),
        file=in_comment(file.name),
        backoff=max(0, frames - 1),
        cepstra=Mfcc.cepstra,
        frames=frames,
        layout=layout.value,
        labels=", ".join(f'"{label}"' for label in labels),
    )
    there = folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        (folder / FILE_NAME).write_text(text, encoding="utf-8")
        shutil.copyfile(model, folder / "model.tflite")
        check(load_spec(folder), graph)
    except UserError as error:
        for name_ in (FILE_NAME, "model.tflite"):
            (folder / name_).unlink(missing_ok=True)
        if not there:
            folder.rmdir()
        error.file = str(model)
        raise
    return Imported(folder, name, labels, frames, layout)


def _described(file: Path, data: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The one model's name and its classes, in the order of the outputs."""
    models = data.get(DESCRIPTIONS)
    if not isinstance(models, list) or not models or not all(isinstance(one, dict) for one in models):
        raise UserError("describes no model", file=file, place=DESCRIPTIONS, remedy=_AGAIN)
    if len(models) > 1:
        raise UserError(
            f"describes {len(models)} models; one is imported",
            file=file,
            place=DESCRIPTIONS,
            remedy="Download each model as a pack of its own.",
        )
    kind = models[0].get("ModelType", "")
    if isinstance(kind, str) and kind and "tensorflow" not in kind.lower():
        raise UserError(
            f"its model is of the type {shown(kind)}, which is no neural network in a .tflite",
            file=file,
            place="ModelType",
            remedy="Train a TensorFlow Lite model there, or a new one here: docs/training.md.",
        )
    classes = models[0].get("ClassMaps")
    if not isinstance(classes, dict) or not all(isinstance(label, str) for label in classes.values()):
        raise UserError("its model has no class names", file=file, place="ClassMaps", remedy=_AGAIN)
    wanted = [str(number) for number in range(1, len(classes) + ("0" not in classes))]
    if sorted(classes, key=str) != sorted([*wanted, *(["0"] if "0" in classes else [])]) or not wanted:
        raise UserError(
            f"its classes are numbered {shown(sorted(classes))}; 1 to n, and 0 for Unknown, is known",
            file=file,
            place="ClassMaps",
            remedy=_AGAIN,
        )
    labels = tuple(_label(classes[number]) for number in wanted)
    if len(set(labels)) < len(labels):
        raise UserError(
            "two of its classes have one name", file=file, place="ClassMaps", remedy="Rename one of them."
        )
    name = models[0].get("Name")
    return (name if isinstance(name, str) and name else file.parent.name), labels


def _model(file: Path) -> Path:
    """model.tflite beside the file, or the only .tflite there."""
    beside = sorted(file.parent.glob("*.tflite"))
    named = [path for path in beside if path.name == "model.tflite"] or beside
    if len(named) != 1:
        found = "no .tflite lies" if not named else f"{len(named)} .tflite lie"
        raise UserError(
            f"{found} beside it",
            file=file,
            remedy="Put the pack's model into the same folder, as model.tflite.",
        )
    return named[0]


def _input(model: Path, shape: tuple[int, ...]) -> tuple[int, Layout]:
    """Frames, and how they lie: SensiML's tutorial copies 15 x 20 values into 20 x 15."""
    cepstra = Mfcc.cepstra
    sides = [size for size in shape if size > 1]
    if len(sides) == 2 and sides[1] == cepstra:
        return sides[0], Layout.FRAMES_BY_CEPSTRA
    if len(sides) == 2 and sides[0] == cepstra:
        return sides[1], Layout.SCRAMBLED
    if len(sides) == 1 and sides[0] % cepstra == 0:
        return sides[0] // cepstra, Layout.FRAMES_BY_CEPSTRA
    raise UserError(
        f"its input is {shape_text(shape)}; frames of {cepstra} cepstra are imported",
        file=model,
        remedy="Write a pipeline.toml for it: docs/pipeline.md.",
    )


def _label(name: str) -> str:
    """A class name without what a label may not have."""
    kept = "".join(c if c.isprintable() and c not in " \t\"'\\" else "_" for c in name)[:LABEL_LENGTH_MAX]
    return kept if kept and kept != UNKNOWN else "class"
