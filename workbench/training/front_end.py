"""The firmware's C before there is a model: what makes the features that the first model is trained on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from codegen.app.spec import Spec
from codegen.app.spec_file import FILE_NAME, load_spec
from codegen.common.errors import UserError, UserErrors
from codegen.common.paths import ROOT
from codegen.common.toml_place import read_toml
from workbench.host.features import open_pipeline
from workbench.host.host_library import Pipeline
from workbench.training.features import Shape, tensor_shape

FOLDER = ROOT / "build" / "training"
StandIn = Callable[[Shape, int], bytes]


def front_end(app: Path, stand_in: StandIn) -> tuple[Spec, Pipeline]:
    """The app's spec, and its pipeline on the PC around a stand-in for the model.

    The app's own model may be missing, old, or of other labels: the features do not depend on it.
    """
    folder = app.absolute() if app.is_dir() else app.absolute().parent
    file = folder / FILE_NAME if app.is_dir() else app.absolute()
    toml = read_toml(file)
    named = toml.data.get("classifier", {})
    model = named.get("model") if isinstance(named, dict) else None
    if not isinstance(model, str) or not model:
        load_spec(app)  # tells what is wrong with it
        model = "model.tflite"
    copy = FOLDER / folder.name / f"{folder.name}_features"
    copy.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, copy / FILE_NAME)
    target = copy / model
    if not target.resolve().is_relative_to(copy):
        raise UserError(
            f"the model {model} lies outside the app's folder",
            file=file,
            place=toml.place("classifier", "model"),
            remedy="Name a file in the app's folder; training writes it.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
    try:
        spec = load_spec(copy)
    except UserError as error:
        for fault in error.errors if isinstance(error, UserErrors) else (error,):
            fault.file = str(file)
        raise
    if spec.pipeline is None:
        raise UserError(
            "is a bare model: there are no features to train on",
            file=file,
            remedy="Add [decision] with labels and threshold.",
        )
    shape = tensor_shape(spec.pipeline, spec.classifier.layout)
    target.write_bytes(stand_in(shape, len(spec.pipeline.decision.labels)))
    return spec, open_pipeline(copy)
