# SPDX-License-Identifier: Apache-2.0
"""A Knowledge Pack of SensiML's Analytics Studio: model.json and the .tflite beside it.

model.json names models and classes (workbench.importing.descriptions). It says nothing of window, gate, MFCC
and scale: those of the Smart Lock tutorial are written, with a comment. How its device code makes the model's
input of the features (offset, rounding, layout) and compares the threshold is the same for each pack of that
kind.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.app.fit import check
from codegen.app.rules import LABEL_LENGTH_MAX, UNKNOWN
from codegen.app.spec import Layout, Mfcc
from codegen.app.spec_file import FILE_NAME, load_spec
from codegen.common.errors import UserError, UserErrors
from codegen.common.render import shape_text
from codegen.passes.legalise import load_graph
from workbench.importing.descriptions import AGAIN, DESCRIPTIONS, descriptions
from workbench.importing.published import in_comment, need_new, shown

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
        raise _of_pack(error, {str(folder / FILE_NAME): file, str(folder / "model.tflite"): model}) from None
    return Imported(folder, name, labels, frames, layout)


def _of_pack(error: UserError, given: Mapping[str, Path]) -> UserError:
    """The same faults, each of the file that the user has. given: written file -> that it was made of."""
    if isinstance(error, UserErrors):
        return UserErrors([_of_pack(one, given) for one in error.errors])
    what, written = error.what, error.file or ""
    if written.endswith(FILE_NAME):  # which is gone: no line of it can be looked at
        what = f"would become a {FILE_NAME} that is refused: {what}"
    place = None if written.endswith(FILE_NAME) else error.place
    return UserError(what, file=given.get(written, Path(written)), place=place, remedy=error.remedy)


def _described(file: Path, data: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The one model's name and its labels, in the order of the outputs."""
    models = descriptions(file, data)
    if len(models) > 1:
        raise UserError(
            f"describes {len(models)} models; one is imported",
            file=file,
            place=DESCRIPTIONS,
            remedy="Download each model as a pack of its own.",
        )
    (model,) = models
    if model.kind and "tensorflow" not in model.kind.lower():
        raise UserError(
            f"its model is of the type {shown(model.kind)}, which is no neural network in a .tflite",
            file=file,
            place="ModelType",
            remedy="Train a TensorFlow Lite model there, or a new one here: docs/training.md.",
        )
    numbers = sorted(model.classes)
    wanted = range(1, len(numbers) + (0 not in numbers))
    if numbers not in ([*wanted], [0, *wanted]) or not wanted:
        raise UserError(
            f"its classes are numbered {shown(numbers)}; 1 to n, and 0 for Unknown, is known",
            file=file,
            place="ClassMaps",
            remedy=AGAIN,
        )
    names = [model.classes[number] for number in wanted]
    if len(set(names)) < len(names):
        raise UserError(
            "two of its classes have one name", file=file, place="ClassMaps", remedy="Rename one of them."
        )
    return model.name or file.parent.name, _labels(names)


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


def _labels(names: Sequence[str]) -> tuple[str, ...]:
    """Class names without what a label may not have. Names that become alike by that get a number."""
    labels: list[str] = []
    for name in names:
        kept = "".join(c if "!" <= c <= "~" and c not in "\"'\\" else "_" for c in name)
        plain = kept if kept and kept != UNKNOWN else "class"
        label, number = plain[:LABEL_LENGTH_MAX], 1
        while label in labels:
            number += 1
            end = f"_{number}"
            label = plain[: LABEL_LENGTH_MAX - len(end)] + end
        labels.append(label)
    return tuple(labels)
