"""Finds the weights. Seeded; still not the same to the bit on every machine, as TensorFlow's sums are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from workbench.training.confusion import UNKNOWN_CLASS
from workbench.training.features import Vectors
from workbench.training.network import CENTRE, SPREAD, build_network
from workbench.training.recipe import Recipe

Values = NDArray[np.uint8]


@dataclass(frozen=True)
class Epoch:
    """What is told after each pass."""

    number: int  # from 1
    loss: float
    accuracy: float | None  # of the validation vectors, mean over the classes; None without any


@dataclass(frozen=True)
class Task:
    """What is learnt. Vectors are in the tensor's order."""

    training: Vectors
    validation: Vectors
    shape: tuple[int, int]  # rows and columns of the tensor
    labels: tuple[str, ...]

    @property
    def classes(self) -> int:
        """Outputs."""
        return len(self.labels)


def fit(recipe: Recipe, task: Task, told: Callable[[Epoch], None]) -> keras.Model:
    """A network fitted to the training vectors, logits out.

    An epoch draws as many vectors of each class as the smallest class has: undersampling, drawn anew every
    time, so that no vector is wasted. Of the class named unknown it draws more: most of what a device hears
    is none of its classes.
    """
    how = recipe.fit
    training, classes = task.training, task.classes
    model = build_network(recipe.network, task.shape, classes, how.seed)
    random = np.random.RandomState(how.seed)
    picture = training.values.reshape(-1, *task.shape)
    by_class = [np.flatnonzero(training.labels == label) for label in range(classes)]
    smallest = min(len(rows) for rows in by_class)
    drawn = [round(smallest * (how.unknown if label == UNKNOWN_CLASS else 1)) for label in task.labels]
    steps = max(1, sum(drawn) // how.batch)
    rate = keras.optimizers.schedules.CosineDecay(how.learning_rate, how.epochs * steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=how.weight_decay)
    optimizer.build(model.trainable_variables)

    @tf.function  # type: ignore[untyped-decorator]
    def step(values: tf.Tensor, wanted: tf.Tensor, share: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
        given = (tf.cast(values, tf.float32) - CENTRE) / SPREAD
        given = given + share[:, None, None] * (tf.gather(given, other) - given)
        target = wanted + share[:, None] * (tf.gather(wanted, other) - wanted)
        with tf.GradientTape() as tape:
            logits = model(given[..., None], training=True)
            loss = tf.reduce_mean(keras.losses.categorical_crossentropy(target, logits, from_logits=True))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    one_hot = np.eye(classes, dtype=np.float32) * (1 - how.label_smoothing) + how.label_smoothing / classes
    for number in range(1, how.epochs + 1):
        chosen = [random.choice(rows, count) for rows, count in zip(by_class, drawn, strict=True)]
        order = random.permutation(np.concatenate(chosen))
        losses = []
        for rows in order[: steps * how.batch].reshape(steps, -1):
            share = random.uniform(0, how.mix, len(rows)).astype(np.float32)
            other = random.permutation(len(rows)).astype(np.int32)
            losses.append(float(step(picture[rows], one_hot[training.labels[rows]], share, other)))
        told(Epoch(number, float(np.mean(losses)), balanced_accuracy(model, task)))
    return model


def logits(model: keras.Model, values: Values, shape: tuple[int, int]) -> NDArray[np.float32]:
    """The network's outputs for feature vectors; float32[n, classes]."""
    given = (values.reshape(-1, *shape, 1).astype(np.float32) - CENTRE) / SPREAD
    return np.asarray(model.predict(given, batch_size=1024, verbose=0), np.float32)


def balanced_accuracy(model: keras.Model, task: Task) -> float | None:
    """Share of validation vectors decided right without a threshold, mean over the classes."""
    vectors = task.validation
    if len(vectors) == 0:
        return None
    right = logits(model, vectors.values, task.shape).argmax(axis=1) == vectors.labels
    shares = [right[vectors.labels == label] for label in range(task.classes)]
    return float(np.mean([share.mean() for share in shares if len(share)]))
