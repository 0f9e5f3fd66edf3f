# SPDX-License-Identifier: Apache-2.0
"""The firmware's C before there is a model: what makes the features that the first model is trained on."""

from __future__ import annotations

from pathlib import Path

from codegen.app.spec import Kind, Pipeline, Spec
from codegen.app.spec_file import FILE_NAME, find_pipeline, load_spec
from codegen.common.errors import UserError, UserErrors
from codegen.common.paths import ROOT
from codegen.common.toml_place import TomlFile, read_toml
from workbench.host.features import NO_FEATURES, open_pipeline
from workbench.host.host_library import HostPipeline
from workbench.host.model_app import write_whole
from workbench.own_folder import own_folder
from workbench.training.features import tensor_shape
from workbench.training.stand_in import stand_in

FOLDER = ROOT / "build" / "training"


def front_end(app: Path) -> tuple[Spec, HostPipeline]:
    """The app's spec, and its pipeline on the PC around a stand-in for the model.

    The app's own model may be missing, old, or of other labels: the features do not depend on it.
    """
    spec, _ = front_end_spec(app)
    return spec, open_pipeline(spec)


def front_end_spec(app: Path) -> tuple[Spec, Pipeline]:
    """The spec of a copy of the app that has a stand-in for its model, and its pipeline.

    UserError where pipeline.toml is at fault. [classifier] and [decision] may be left away: features do not
    depend on them.
    """
    file = find_pipeline(app).absolute()
    toml = read_toml(file)
    folder = own_folder(FOLDER, file.parent)
    copy = folder / f"{folder.name}_features"
    model = _model(toml)
    target = copy / model
    if not target.resolve().is_relative_to(copy.resolve()):
        raise UserError(
            f"the model {model} lies outside the app's folder",
            file=file,
            place=toml.place("classifier", "model"),
            remedy="Name a file in the app's folder; training writes it.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(copy / FILE_NAME, _completed(toml, model).encode())
    if not target.is_file():
        write_whole(target, stand_in((1, 1), 1))
    try:
        spec = load_spec(copy)
    except UserError as error:
        for fault in error.errors if isinstance(error, UserErrors) else (error,):
            fault.file = str(file)
        raise
    if spec.pipeline is None:
        raise UserError(NO_FEATURES[0], file=app, remedy=NO_FEATURES[1])
    shape = tensor_shape(spec.pipeline, spec.classifier.layout)
    decision = spec.pipeline.decision
    outputs = shape[0] * shape[1] if decision.kind is Kind.ANOMALY else len(decision.labels)
    write_whole(target, stand_in(shape, outputs))
    return spec, spec.pipeline


def _model(toml: TomlFile) -> str:
    """The model's name as the file has it; a name of ours where it has none that can be one."""
    named = toml.data.get("classifier", {})
    model = named.get("model") if isinstance(named, dict) else None
    return model if isinstance(model, str) and model else "model.tflite"


def _completed(toml: TomlFile, model: str) -> str:
    """pipeline.toml's text with what says nothing of features added where it is missing."""
    text = toml.path.read_text(encoding="utf-8-sig")
    if set(toml.data) == {"classifier"}:
        return text  # a bare model
    if "classifier" not in toml.data:
        text += f'\n[classifier]\nmodel = "{model}"\n'
    if "decision" not in toml.data:
        text += '\n[decision]\nlabels = ["none"]\nthreshold = 0.5\n'
    return text
