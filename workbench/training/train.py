"""One training from beginning to end: recordings, recipe -> model.tflite and what it is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.app.contract import feature_contract
from codegen.app.spec import Pipeline
from codegen.common.errors import UserError
from workbench.host.features import open_pipeline
from workbench.training import convert, fit
from workbench.training.confusion import Confusion, confusion
from workbench.training.evaluation import of_vectors
from workbench.training.features import Vectors, tensor_shape
from workbench.training.front_end import front_end
from workbench.training.recipe import Recipe
from workbench.training.sets import LEARNT, make_sets


@dataclass(frozen=True)
class Trained:
    """What came out. `float_` is the network before its conversion, `int8` the firmware's own code."""

    model: Path
    contract: str
    pieces: dict[str, int]  # set -> pieces
    vectors: dict[str, int]  # set -> vectors
    float_: dict[str, Confusion]  # set -> its decisions
    int8: dict[str, Confusion]

    def object(self) -> dict[str, Any]:
        """For --json and the report."""
        return {
            "model": str(self.model),
            "contract": self.contract,
            "pieces": self.pieces,
            "vectors": self.vectors,
            "float": {name: table.object() for name, table in self.float_.items()},
            "int8": {name: table.object() for name, table in self.int8.items()},
        }


def train(app: Path, recipe: Recipe, labels: Path, say: Callable[[str], None]) -> Trained:
    """Trains the app's model, writes it with its feature contract beside it. UserError on unusable input."""
    spec, pipeline = front_end(app, convert.stand_in)
    names, layout = pipeline.spec.decision.labels, spec.classifier.layout
    shape = tensor_shape(pipeline.spec, layout)
    _check_shape(recipe, shape)
    sets = {chosen.name: chosen for chosen in make_sets(pipeline, recipe, labels, say)}
    made = {}
    for name, chosen in sets.items():
        made[name] = chosen.vectors(pipeline, layout, recipe)
        say(f"{name:<10} {len(chosen.pieces):6} pieces {len(made[name]):8} vectors")

    learnt = [made[name] for name in LEARNT if name in made]
    training = Vectors(
        np.concatenate([part.values for part in learnt]), np.concatenate([part.labels for part in learnt])
    )
    task = fit.Task(training, made["validation"], shape, names)
    network = fit.fit(recipe, task, lambda epoch: say(_told(epoch, recipe)))
    say(f"{network.count_params()} parameters; converting to int8")
    content = convert.to_int8(network, spec.classifier.offset, training.values, shape, recipe.fit.seed)
    model = app_folder(app) / spec.classifier.model.relative_to(spec.file.parent)
    _write(model, content, feature_contract(spec))

    say("compiling it, and deciding with the firmware's own code")
    trained = open_pipeline(app)
    float_: dict[str, Confusion] = {}
    int8: dict[str, Confusion] = {}
    for name in ("validation", "test"):
        if name in made and len(made[name]):
            decided = _decided(fit.logits(network, made[name].values, shape), pipeline.spec)
            float_[name] = confusion(names, zip(made[name].labels.tolist(), decided, strict=True))
            int8[name] = of_vectors(trained, sets[name].recordings(trained.sample_rate))
    return Trained(
        model,
        trained.contract,
        {name: len(chosen.pieces) for name, chosen in sets.items()},
        {name: len(chosen) for name, chosen in made.items()},
        float_,
        int8,
    )


def app_folder(app: Path) -> Path:
    """Where pipeline.toml is."""
    return app.absolute() if app.is_dir() else app.absolute().parent


def _check_shape(recipe: Recipe, shape: tuple[int, int]) -> None:
    """Each 'valid' convolution takes kernel - 1 rows and columns."""
    left = min(shape) - len(recipe.network.convolutions) * (recipe.network.kernel - 1)
    if left < 1:
        raise UserError(
            f"{len(recipe.network.convolutions)} convolutions of {recipe.network.kernel} x "
            f"{recipe.network.kernel} leave nothing of {shape[0]} x {shape[1]} features",
            file=recipe.file,
            place="[network]",
            remedy="Take fewer convolutions, or a smaller kernel.",
        )


def _told(epoch: fit.Epoch, recipe: Recipe) -> str:
    text = f"epoch {epoch.number:3} of {recipe.fit.epochs}   loss {epoch.loss:.3f}"
    return text if epoch.accuracy is None else f"{text}   validation {100 * epoch.accuracy:5.1f} %"


def _decided(outputs: NDArray[np.float32], pipeline: Pipeline) -> list[int]:
    """Class indices as a device would report them: the largest logit's, where its threshold accepts."""
    thresholds = pipeline.decision.thresholds
    chances = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    best = chances.argmax(axis=1)
    return [
        int(label) + 1 if chance >= float(thresholds[label]) else 0
        for label, chance in zip(best, chances.max(axis=1), strict=True)
    ]


def _write(model: Path, content: bytes, contract: str) -> None:
    """The model and, beside it, the contract of the features it was trained on; each whole or not at all."""
    for file, text in ((model, content), (model.with_suffix(".contract"), f"{contract}\n".encode())):
        part = file.with_name(f"{file.name}.part")
        part.write_bytes(text)
        part.replace(file)
