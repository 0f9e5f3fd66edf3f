# SPDX-License-Identifier: Apache-2.0
"""One training from beginning to end: recordings, recipe -> model.tflite and what it is worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.app.contract import feature_contract
from codegen.app.spec import Pipeline, Spec
from codegen.common.errors import UserError
from workbench.host.host_library import HostPipeline
from workbench.training import convert, fit
from workbench.training.card import Facts, card
from workbench.training.compared import Found, apart
from workbench.training.confusion import Confusion, confusion
from workbench.training.epochs import Epoch
from workbench.training.features import Vectors, tensor_shape
from workbench.training.fine_tune import fine_tune
from workbench.training.judge import Verdict, decide, judge, write
from workbench.training.kinds import check_shape
from workbench.training.network import build_network
from workbench.training.on_board import OnBoard, any_features, on_board
from workbench.training.recipe import Recipe
from workbench.training.sets import LEARNT, Labelled, Set, background_of, make_sets
from workbench.training.unfinished import Unfinished
from workbench.workers import Workers

LOSS = 0.01  # of the mean of the sensitivities by the conversion, beyond which the network is fine-tuned
_WATCHED = 2000  # validation vectors at most that tell it


@dataclass(frozen=True)
class LayerRow:
    """A layer of the network, for a person."""

    name: str
    kind: str
    shape: tuple[int, ...]  # of its output, without the batch
    parameters: int


@dataclass(frozen=True)
class Trained:
    """What came out. `float_` is the network before its conversion, `int8` the firmware's own code."""

    verdict: Verdict
    contract: str
    pieces: dict[str, int]  # set -> pieces
    vectors: dict[str, int]  # set -> vectors
    float_: dict[str, Confusion]  # set -> its decisions
    int8: dict[str, Confusion]
    apart: dict[str, list[Found]]  # set -> pieces of which the two decide some vectors otherwise
    layers: tuple[LayerRow, ...]
    sizes: dict[str, int]  # "float", "int8": bytes of the .tflite
    epochs: tuple[Epoch, ...]
    best: int  # number of the epoch whose weights are kept
    fine_tuned: int  # epochs with int8's rounding after those
    interrupted: bool

    def object(self) -> dict[str, Any]:
        """For --json and the report."""
        before, previous = self.verdict.before, self.verdict.previous
        return {
            "model": str(self.verdict.model),
            "taken": self.verdict.taken,
            "why": self.verdict.why,
            "previous": None if previous is None else str(previous),
            "before": None if before is None else before.object(),
            "contract": self.contract,
            "pieces": self.pieces,
            "vectors": self.vectors,
            "float": {name: table.object() for name, table in self.float_.items()},
            "int8": {name: table.object() for name, table in self.int8.items()},
            "apart": {name: [one.object() for one in found] for name, found in self.apart.items()},
            "layers": [dataclasses.asdict(row) for row in self.layers],
            "sizes": self.sizes,
            "epochs": [dataclasses.asdict(epoch) for epoch in self.epochs],
            "best_epoch": self.best,
            "fine_tuned": self.fine_tuned,
            "interrupted": self.interrupted,
        }


@dataclass(frozen=True, eq=False)
class Made:
    """One network from its sets to its int8 file."""

    network: Any  # keras.Model, with the weights of the epoch that is kept
    task: fit.Task
    fitted: fit.Fitted
    content: bytes  # of the .tflite
    fine_tuned: int  # epochs with int8's rounding after those of the fit
    vectors: dict[str, Vectors]  # by the name of their set
    unfinished: Unfinished  # to go on with, until what is made of it is where it belongs

    def done(self) -> None:
        """What is made of it is where it belongs: the same command afterwards begins again, unless this one
        was interrupted."""
        if not self.fitted.interrupted:
            self.unfinished.done()


def train(app: Path, job: Job, labelled: Labelled, output: Path | None) -> Trained:
    """Trains the app's model, judges it beside the app's own, and writes it with its feature contract beside
    it: to `output`, else to the app where it is no worse, else beside the app's. UserError on unusable input.
    """
    spec, pipeline, recipe, say = job.spec, job.pipeline, job.recipe, job.say
    network = job.network()
    say("converting it untrained, to see what it takes")
    cost = job.cost(network).text
    say(cost)
    sets = {chosen.name: chosen for chosen in make_sets(pipeline, recipe, labelled, say)}
    made = job.fit(network, sets)
    names, contract = pipeline.spec.decision.labels, feature_contract(spec)

    say("compiling it, and deciding with the firmware's own code")
    tried = [sets[name] for name in ("validation", "test") if name in sets and len(made.vectors[name])]
    decided = decide(spec, "new", made.content, contract, tried)
    int8 = {name: one.table for name, one in decided.items()}
    float_ = {name: job.decided(made, name) for name in decided}
    apart_ = {name: apart(names, decided[name].pieces, float_[name]) for name in decided}
    tables = {
        name: confusion(names, zip(made.vectors[name].labels.tolist(), own, strict=True))
        for name, own in float_.items()
    }
    model = app_folder(app) / spec.classifier.model.relative_to(spec.file.parent)
    verdict = judge(spec, model, output, tried, int8)
    told = Facts(
        app_folder(app).name,
        pipeline.spec,
        recipe,
        labelled,
        tuple(sets.values()),
        network.count_params(),
        made.content,
        contract,
        cost,
        (made.fitted.best, len(made.fitted.epochs), made.fine_tuned),
        tables,
        int8,
        apart_,
        convert.versions(),
    )
    write(verdict, made.content, contract, card(told))
    made.done()
    return Trained(
        verdict,
        contract,
        {name: len(chosen.pieces) for name, chosen in sets.items()},
        {name: len(own) for name, own in made.vectors.items()},
        tables,
        int8,
        apart_,
        tuple(_layer(layer) for layer in network.layers if type(layer).__name__ != "InputLayer"),
        {"float": len(convert.to_float(network, spec.classifier.offset)), "int8": len(made.content)},
        made.fitted.epochs,
        made.fitted.best,
        made.fine_tuned,
        made.fitted.interrupted,
    )


# The name of a fit among several ("": the only one) -> what hears of its epochs, those before an interruption
# among them.
Watch = Callable[[str], Callable[[Epoch], None]]


@dataclass(frozen=True, eq=False)
class Job:
    """The steps of a training of one app by one recipe."""

    spec: Spec
    pipeline: HostPipeline
    recipe: Recipe
    say: Callable[[str], None]
    workers: Workers
    watch: Watch = lambda _: lambda _: None
    anew: bool = False  # an interrupted fit begins again

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the features."""
        return tensor_shape(self.pipeline.spec, self.spec.classifier.layout)

    def network(self) -> Any:
        """The recipe's network (a keras.Model), untrained. UserError where it takes more features."""
        recipe, shape = self.recipe, self.shape
        if recipe.network.file is None:
            check_shape(recipe.network, shape, recipe.file)
        classes = len(self.pipeline.spec.decision.labels)
        return build_network(recipe.network, shape, classes, recipe.fit.seed)

    def cost(self, network: Any) -> OnBoard:
        """What the network will take on a board. UserError where the app cannot take it."""
        content = _untrained(self.recipe, network, self.spec.classifier.offset, self.shape)
        return on_board(self.spec, content, _written_by(self.recipe))

    def fit(self, network: Any, sets: Mapping[str, Set], name: str = "") -> Made:
        """Fits the network to the sets that are learnt from, and converts it. name: for `watch`."""
        names, offset = self.pipeline.spec.decision.labels, self.spec.classifier.offset
        recipe, say, shape, made = self.recipe, self.say, self.shape, {}
        background = background_of(recipe, sets["training"], names, self.pipeline.sample_rate)
        for part, chosen in sets.items():
            made[part] = chosen.vectors(
                self.pipeline, self.spec.classifier.layout, recipe, background, self.workers
            )
            say(f"{part:<10} {len(chosen.pieces):6} pieces {len(made[part]):8} vectors")

        learnt = [made[part] for part in LEARNT if part in made]
        training = Vectors(
            np.concatenate([part.values for part in learnt]), np.concatenate([part.labels for part in learnt])
        )
        task = fit.Task(training, made["validation"], shape, names, offset)
        fitted, unfinished = _fitted(self, network, task, self.watch(name))
        say(f"epoch {fitted.best} is kept; converting its {network.count_params():,} parameters to int8")
        content = convert.to_int8(network, offset, training.values, shape, recipe.fit.seed)
        better = None
        if recipe.fit.fine_tune and len(task.validation) and not fitted.interrupted:
            try:
                better = _fine_tuned(self, network, task, content)
            except KeyboardInterrupt:
                say("interrupted; the network of before is kept")
                fitted = dataclasses.replace(fitted, interrupted=True)
        more = 0 if better is None else recipe.fit.fine_tune
        return Made(network, task, fitted, better or content, more, made, unfinished)

    def decided(self, made: Made, name: str) -> list[int]:
        """The class index of each vector of a set, before the conversion to int8."""
        outputs = fit.logits(made.network, made.vectors[name].values, made.task)
        return _accepted(_chances(outputs), self.pipeline.spec)


def _fitted(
    job: Job, network: Any, task: fit.Task, watch: Callable[[Epoch], None]
) -> tuple[fit.Fitted, Unfinished]:
    """Goes on where the same fit was interrupted."""
    recipe, say = job.recipe, job.say
    unfinished = Unfinished(fit.key_of(recipe, network, task))
    if job.anew:
        unfinished.done()
    elif (state := unfinished.load()) is not None:
        for epoch in state.epochs:
            watch(epoch)
        say(f"going on after epoch {len(state.epochs)} of an interrupted training; --anew begins again")

    def reported(epoch: Epoch) -> None:
        watch(epoch)
        say(_told(epoch, recipe))

    fitted = fit.fit(recipe, network, task, reported, unfinished)
    if fitted.interrupted:
        say(f"interrupted after epoch {fitted.epochs[-1].number}; what was learnt is kept")
    return fitted, unfinished


def _fine_tuned(job: Job, network: Any, task: fit.Task, content: bytes) -> bytes | None:
    """The network anew in int8, where it had lost more than LOSS by it and loses less now; else None, and the
    network is as it was, also after a KeyboardInterrupt."""
    names, pipeline, recipe = task.labels, job.pipeline.spec, job.recipe
    some = np.linspace(0, len(task.validation) - 1, min(_WATCHED, len(task.validation))).round().astype(int)
    values, truths = task.validation.values[some], task.validation.labels[some].tolist()

    def mean(chances: NDArray[np.float32]) -> float:
        table = confusion(names, zip(truths, _accepted(chances, pipeline), strict=True))
        return table.mean_sensitivity or 0.0

    def in_int8(made: bytes) -> float:
        return mean(convert.scores(made, values, task.shape, task.offset))

    before, after = mean(_chances(fit.logits(network, values, task))), in_int8(content)
    if before - after <= LOSS:
        return None
    job.say(
        f"int8 takes the mean of the sensitivities on validation sounds from {100 * before:.1f} to "
        f"{100 * after:.1f} %: {recipe.fit.fine_tune} epochs more, with its rounding"
    )
    weights, taken = network.get_weights(), False
    try:
        fine_tune(recipe, network, task)
        made = convert.to_int8(network, task.offset, task.training.values, task.shape, recipe.fit.seed)
        now = in_int8(made)
        job.say(f"in int8 it is {100 * now:.1f} % after them{'' if now > after else ': they are not kept'}")
        taken = now > after
        return made if taken else None
    except Exception as error:  # Keras's and TensorFlow's, of many kinds, of layers that a user wrote
        if recipe.network.file is None:
            raise
        job.say(f"it cannot be fine-tuned, and stays as it is: {_line(error)}")
        return None
    finally:
        if not taken:
            network.set_weights(weights)


def _line(error: Exception) -> str:
    """What it says, in short."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _written_by(recipe: Recipe) -> Path:
    """The file that says what the network is."""
    return recipe.network.file or recipe.file


def _untrained(recipe: Recipe, network: Any, offset: int, shape: tuple[int, int]) -> bytes:
    """The network as it is drawn, in int8. UserError where the converter cannot take what a user wrote."""
    try:
        return convert.to_int8(network, offset, any_features(shape), shape, 0)
    except Exception as error:  # TensorFlow's, of many kinds
        if recipe.network.file is None:
            raise
        raise UserError(
            f"TensorFlow cannot convert the network to int8: {_line(error)}",
            file=_written_by(recipe),
            remedy="Take layers that docs/models.md has.",
        ) from error


def _layer(layer: Any) -> LayerRow:
    return LayerRow(layer.name, type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params())


def app_folder(app: Path) -> Path:
    """Where pipeline.toml is."""
    return app.absolute() if app.is_dir() else app.absolute().parent


def _told(epoch: Epoch, recipe: Recipe) -> str:
    text = f"epoch {epoch.number:3} of {recipe.fit.epochs}   loss {epoch.loss:.3f}"
    if epoch.accuracy is None or epoch.validation_loss is None:
        return text
    return f"{text}   validation: loss {epoch.validation_loss:.3f}, {100 * epoch.accuracy:5.1f} % right"


def _chances(outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of logits."""
    chances = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


def _accepted(chances: NDArray[np.float32], pipeline: Pipeline) -> list[int]:
    """Class indices as a device would report them: the largest chance's, where its threshold accepts."""
    thresholds = pipeline.decision.thresholds
    best = chances.argmax(axis=1)
    return [
        int(label) + 1 if chance >= float(thresholds[label]) else 0
        for label, chance in zip(best, chances.max(axis=1), strict=True)
    ]
