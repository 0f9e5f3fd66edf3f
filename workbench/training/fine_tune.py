# SPDX-License-Identifier: Apache-2.0
"""A few epochs more in which the network sees int8's rounding, where the conversion lost something.

What the converter will round is rounded in each step, and the gradient passes as if nothing had been
(Jacob et al., Quantization and training of neural networks for efficient integer-arithmetic-only inference,
2018): weights for each output channel around zero, activations of each tensor between the least and largest
value that training vectors give. Batch normalisations keep their statistics, so that folding them into a
convolution, as the converter does, changes each channel by a factor, and not its rounding.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from workbench.training.fit import Draws, Task, stepper
from workbench.training.network import SPREAD, centre_of
from workbench.training.recipe import Recipe

SLOWER = 0.1  # than the learning rate at the fit's start
_SHOWN = 1000  # vectors that show the ranges
_KERNELS: Mapping[str, tuple[int, ...]] = {  # axes of the kernel that are one output channel's
    "Conv1D": (0, 1),
    "Conv2D": (0, 1, 2),
    "DepthwiseConv2D": (0, 1),
    "Dense": (0,),
}
_SHAPES = (
    "Flatten",
    "Reshape",
    "Permute",
    "Dropout",
    "MaxPooling1D",
    "MaxPooling2D",
    "InputLayer",
)  # move values
_FOLDED = ("BatchNormalization", "ReLU")  # into what comes before them


def fine_tune(recipe: Recipe, model: keras.Model, task: Task) -> None:
    """Fits the model's weights for recipe.fit.fine_tune epochs behind int8's rounding, in place."""
    how = recipe.fit
    centre = centre_of(model, task.offset)
    random = np.random.RandomState(how.seed + 1)
    rounded, ranges = rounding(model)
    some = random.choice(len(task.training), min(_SHOWN, len(task.training)), replace=False)
    shown = task.training.values[some].reshape(-1, *task.shape, 1).astype(np.float32)
    draws = Draws(how, task, random)
    rate = keras.optimizers.schedules.CosineDecay(how.learning_rate * SLOWER, how.fine_tune * draws.steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=how.weight_decay)
    optimizer.build(model.trainable_variables)
    step = stepper(lambda given: rounded(given, training=True), model, optimizer, centre)
    for _ in range(how.fine_tune):
        for one in ranges:
            one.watch()
        rounded((shown - centre) / SPREAD, training=False)
        for one in ranges:
            one.watched()
        for batch in draws.epoch():
            step(*batch)


class Range(keras.layers.Layer):  # type: ignore[misc]
    """Rounds a tensor to 256 steps of the range that it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self._watches = False
        self._low = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self._high = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def watch(self) -> None:
        """From now on it is shown tensors, and changes nothing."""
        self._watches = True
        self.set(0.0, 0.0)  # a range holds 0

    def watched(self) -> None:
        """From now on it rounds."""
        self._watches = False

    def set(self, low: float, high: float) -> None:
        """Its range, of 255 steps; 0 is one of them."""
        self._low.assign(low)
        self._high.assign(high)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """The tensor, rounded or as it is."""
        if self._watches:
            self._low.assign(tf.minimum(self._low.value, tf.reduce_min(values)))
            self._high.assign(tf.maximum(self._high.value, tf.reduce_max(values)))
            return values
        step = tf.maximum((self._high.value - self._low.value) / 255, 1e-12)
        zero = tf.round(-128 - self._low.value / step)
        rounded = (tf.clip_by_value(tf.round(values / step) + zero, -128, 127) - zero) * step
        inside = tf.clip_by_value(values, self._low.value, self._high.value)  # no gradient beyond it
        return inside + tf.stop_gradient(rounded - inside)


class Rounded(keras.layers.Layer):  # type: ignore[misc]
    """A layer of the network behind its rounded kernel; its variables stay the layer's own."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self._inner = inner

    def call(self, *values: tf.Tensor) -> tf.Tensor:
        """As the layer infers: a normalisation by its statistics."""
        inner = self._inner
        weights = [variable.value for variable in inner.trainable_variables]
        others = [variable.value for variable in inner.non_trainable_variables]
        axes = _KERNELS.get(type(inner).__name__)
        if axes is not None:
            held = weights or others  # those of a layer that a user froze
            kernel = held[0]
            step = tf.maximum(tf.reduce_max(tf.abs(kernel), axis=axes, keepdims=True) / 127, 1e-12)
            rounded = tf.clip_by_value(tf.round(kernel / step), -127, 127) * step
            held[0] = kernel + tf.stop_gradient(rounded - kernel)
        options = {"training": False} if "training" in inspect.signature(inner.call).parameters else {}
        return inner.stateless_call(weights, others, *values, **options)[0]


def rounding(model: keras.Model) -> tuple[keras.Model, list[Range]]:
    """The network with the same variables that rounds as the converter will, and its tensors' ranges in the
    order of its layers."""
    ranges: list[Range] = []
    made: dict[int, Any] = {}  # what made a tensor
    known: dict[int, Any] = {}  # tensor -> rounded

    def rounded(tensor: Any) -> Any:
        if id(tensor) not in known:
            ranges.append(Range())
            known[id(tensor)] = ranges[-1](tensor)
        return known[id(tensor)]

    def given(layer: Any, tensor: Any) -> Any:
        name, before = type(layer).__name__, made.get(id(tensor))
        folded = name in _FOLDED and _linear(before)
        return tensor if name in _SHAPES or folded or before is None else rounded(tensor)

    def call(layer: Any, *words: Any, **options: Any) -> Any:
        words = keras.tree.map_structure(
            lambda one: given(layer, one) if isinstance(one, keras.KerasTensor) else one, words
        )
        weights = bool(getattr(layer, "weights", ())) and not isinstance(layer, keras.layers.Dropout)
        options.pop("mask", None)
        output = Rounded(layer)(*words) if weights else layer(*words, **options)
        name = type(layer).__name__
        before = made.get(id(words[0])) if name in _SHAPES else layer  # features that only move stay features
        made[id(output)] = layer if before is not None and name != "Dropout" else before
        return output

    if isinstance(model, keras.Sequential):
        tensor = source = keras.Input(model.input_shape[1:])
        for layer in model.layers:
            tensor = call(layer, tensor)
    else:
        copy = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
        source, tensor = copy.inputs, copy.outputs[0]
    return keras.Model(source, rounded(tensor)), ranges


def _linear(layer: Any) -> bool:
    """Whether a ReLU or a normalisation behind it becomes a part of it."""
    name = type(layer).__name__
    if name == "BatchNormalization":
        return True
    return name in _KERNELS and layer.activation is keras.activations.linear
