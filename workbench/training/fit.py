# SPDX-License-Identifier: Apache-2.0
"""Finds the weights. The same seed gives the same bits on one machine; on another TensorFlow may sum in
another order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from codegen.common.version import VERSION
from workbench.training.confusion import UNKNOWN_CLASS
from workbench.training.epochs import Epoch, best_epoch
from workbench.training.features import Vectors
from workbench.training.network import SPREAD, centre_of
from workbench.training.recipe import Fit, Recipe
from workbench.training.unfinished import State, Unfinished

Values = NDArray[np.uint8]


@dataclass(frozen=True)
class Fitted:
    """What a fit gave: the network with the weights of its best epoch."""

    model: keras.Model
    epochs: tuple[Epoch, ...]  # at least one
    best: int  # number of the epoch whose weights are kept
    interrupted: bool  # Ctrl-C ended it before its last epoch


@dataclass(frozen=True)
class Task:
    """What is learnt. Vectors are in the tensor's order."""

    training: Vectors
    validation: Vectors
    shape: tuple[int, int]  # rows and columns of the tensor
    labels: tuple[str, ...]
    offset: int  # [classifier] offset

    @property
    def classes(self) -> int:
        """Outputs."""
        return len(self.labels)


def fit(
    recipe: Recipe,
    model: keras.Model,
    task: Task,
    reported: Callable[[Epoch], None],
    unfinished: Unfinished | None = None,
) -> Fitted:
    """The network of build_network(), fitted to the training vectors.

    unfinished: where it is written how far this fit has come, and read where it goes on; those epochs are not
    reported again. It stays after the last epoch: whoever has written what came of the fit removes it.

    The weights are those of the epoch with the best validation accuracy, of equals the one with the least
    validation loss; without validation vectors those of the last epoch. Ctrl-C ends it early, once an epoch
    is done.

    An epoch draws as many vectors of each class as the smallest class has: undersampling, drawn anew every
    time, so that no vector is wasted. Of the class named unknown it draws more: most of what a device hears
    is none of its classes.
    """
    how = recipe.fit
    random = np.random.RandomState(how.seed)
    draws = Draws(how, task, random)
    rate = keras.optimizers.schedules.CosineDecay(how.learning_rate, how.epochs * draws.steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=how.weight_decay)
    optimizer.build(model.trainable_variables)
    step = stepper(lambda given: model(given, training=True), model, optimizer, centre_of(model, task.offset))
    epochs: list[Epoch] = []
    kept, weights = 0, model.get_weights()
    interrupted = False
    if unfinished is not None and (state := unfinished.load()) is not None:
        _restore(state, model, optimizer, random)
        epochs, kept, weights = list(state.epochs), state.best, list(state.weights)
    try:
        for number in range(len(epochs) + 1, how.epochs + 1):
            losses = [float(step(*batch)) for batch in draws.epoch()]
            epoch = Epoch(number, float(np.mean(losses)), *validated(model, task))
            if best_epoch([*epochs, epoch]) == number:
                kept, weights = number, model.get_weights()
            epochs.append(epoch)
            if unfinished is not None:
                unfinished.save(_state((epochs, kept, weights), model, optimizer, random))
            reported(epoch)
    except KeyboardInterrupt:
        if not epochs:
            raise
        interrupted = True
    model.set_weights(weights)
    return Fitted(model, tuple(epochs), kept, interrupted)


Batch = tuple[Values, NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]


class Draws:
    """The vectors of each epoch, drawn anew."""

    def __init__(self, how: Fit, task: Task, random: np.random.RandomState) -> None:
        training, classes = task.training, task.classes
        self._batch, self._mix, self._random = how.batch, how.mix, random
        self._labels = training.labels
        self._picture = training.values.reshape(-1, *task.shape)
        self._by_class = [np.flatnonzero(training.labels == label) for label in range(classes)]
        smallest = min(len(rows) for rows in self._by_class)
        self._counts = [
            round(smallest * (how.unknown if label == UNKNOWN_CLASS else 1)) for label in task.labels
        ]
        self.steps = max(1, sum(self._counts) // how.batch)  # of an epoch
        smooth = how.label_smoothing
        self._targets = np.eye(classes, dtype=np.float32) * (1 - smooth) + smooth / classes

    def epoch(self) -> Iterator[Batch]:
        """Of each step: vectors, targets, the share of another vector that is mixed into each, and which."""
        random, pairs = self._random, zip(self._by_class, self._counts, strict=True)
        order = random.permutation(np.concatenate([random.choice(rows, count) for rows, count in pairs]))
        for rows in order[: self.steps * self._batch].reshape(self.steps, -1):
            share = random.uniform(0, self._mix, len(rows)).astype(np.float32)
            other = random.permutation(len(rows)).astype(np.int32)
            yield self._picture[rows], self._targets[self._labels[rows]], share, other


def stepper(
    forward: Callable[[tf.Tensor], tf.Tensor],
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    centre: float,
) -> Callable[..., tf.Tensor]:
    """One step of the model's variables by a Batch; gives its loss. forward: features as the network takes
    them -> logits."""

    @tf.function  # type: ignore[untyped-decorator]
    def step(values: tf.Tensor, wanted: tf.Tensor, share: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
        given = (tf.cast(values, tf.float32) - centre) / SPREAD
        given = given + share[:, None, None] * (tf.gather(given, other) - given)
        target = wanted + share[:, None] * (tf.gather(wanted, other) - wanted)
        with tf.GradientTape() as tape:
            logits = forward(given[..., None])
            loss = tf.reduce_mean(keras.losses.categorical_crossentropy(target, logits, from_logits=True))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return step  # type: ignore[no-any-return]


def key_of(recipe: Recipe, model: keras.Model, task: Task) -> str:
    """A hash of all that a fit depends on; `model` as it was built."""
    file = recipe.network.file
    network = asdict(recipe.network) if file is None else file.read_bytes()
    told = (VERSION, asdict(recipe.fit), network, task.shape, task.labels, task.offset)
    made = hashlib.sha256(repr((told, tf.__version__, keras.__version__)).encode())
    for vectors in (task.training, task.validation):
        made.update(vectors.values.tobytes() + vectors.labels.tobytes())
    for array in model.get_weights():
        made.update(array.tobytes())
    return made.hexdigest()[:32]


def _state(
    course: tuple[Sequence[Epoch], int, Sequence[NDArray[np.float32]]],
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    random: np.random.RandomState,
) -> State:
    """course: the epochs, the number of the best one, its weights."""
    epochs, best, weights = course
    _, key, *place = random.get_state(legacy=True)
    return State(
        tuple(epochs),
        best,
        (np.asarray(key, np.uint32), int(place[0]), int(place[1]), float(place[2])),
        tuple(np.asarray(variable) for variable in model.variables),
        tuple(np.asarray(variable) for variable in optimizer.variables),
        tuple(weights),
    )


def _restore(
    state: State, model: keras.Model, optimizer: keras.optimizers.Optimizer, random: np.random.RandomState
) -> None:
    random.set_state(("MT19937", *state.random))
    for variables, arrays in ((model.variables, state.network), (optimizer.variables, state.optimizer)):
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)


def logits(model: keras.Model, values: Values, task: Task) -> NDArray[np.float32]:
    """The network's outputs for feature vectors; float32[n, classes]."""
    given = values.reshape(-1, *task.shape, 1).astype(np.float32) - centre_of(model, task.offset)
    given /= SPREAD
    return np.asarray(model.predict(given, batch_size=1024, verbose=0), np.float32)


def validated(model: keras.Model, task: Task) -> tuple[float | None, float | None]:
    """Share of validation vectors decided right without a threshold, mean over the classes, and their mean
    cross-entropy; None without any."""
    vectors = task.validation
    if len(vectors) == 0:
        return None, None
    outputs = logits(model, vectors.values, task).astype(np.float64)
    right = outputs.argmax(axis=1) == vectors.labels
    shares = [right[vectors.labels == label] for label in range(task.classes)]
    top = outputs.max(axis=1)
    log_sum = top + np.log(np.exp(outputs - top[:, None]).sum(axis=1))
    loss = np.mean(log_sum - outputs[np.arange(len(vectors)), vectors.labels])
    return float(np.mean([share.mean() for share in shares if len(share)])), float(loss)
