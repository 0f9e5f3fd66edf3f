# SPDX-License-Identifier: Apache-2.0
"""The network of a recipe, in Keras. Only this module, fit and convert import TensorFlow."""

from __future__ import annotations

import keras
import numpy as np

from workbench.training.recipe import Network

CENTRE, SPREAD = 127.0, 32.0  # of the 8-bit features, for training; folded into the first layer afterwards


def build_network(network: Network, shape: tuple[int, int], classes: int, seed: int) -> keras.Model:
    """float32 [batch, *shape, 1] -> logits [batch, classes]; weights drawn from `seed`.

    Convolutions are 'valid' with stride 1 and ReLU: each frame adds one column to every layer, and a sliding
    cascade needs only that column computed again. The batch normalisation stands after a ReLU, as in
    SensiML's tutorial: no converter can fold it into a convolution, it stays a MUL and an ADD.
    """
    keras.utils.set_random_seed(seed)
    layers: list[keras.Layer] = [keras.layers.Input((*shape, 1))]
    for number, channels in enumerate(network.convolutions, start=1):
        layers.append(
            keras.layers.Conv2D(channels, network.kernel, activation="relu", name=f"convolution_{number}")
        )
        if number == network.normalize_after:
            layers.append(keras.layers.BatchNormalization(momentum=0.95, name="normalization"))
            layers.append(keras.layers.Dropout(network.dropout))
    layers.append(keras.layers.Flatten())
    layers.append(keras.layers.Dropout(network.dropout))
    for number, units in enumerate(network.dense, start=1):
        layers.append(keras.layers.Dense(units, activation="relu", name=f"dense_{number}"))
    layers.append(keras.layers.Dense(classes, name="logits"))
    return keras.Sequential(layers)


def with_scores(model: keras.Model, offset: int) -> keras.Model:
    """The trained network as it is converted: takes feature - offset unscaled, gives probabilities.

    Training saw (feature - CENTRE) / SPREAD. Both differ by a factor and a constant, which the first layer
    with weights can take over exactly, having no padding.
    """
    inner = model.layers
    first = next(index for index, layer in enumerate(inner) if layer.get_weights())
    kernel, bias = inner[first].get_weights()
    axes = tuple(range(kernel.ndim - 1))
    folded = [kernel / SPREAD, bias + kernel.sum(axis=axes) * ((offset - CENTRE) / SPREAD)]
    copy = keras.Sequential([keras.layers.Input(model.input_shape[1:])])
    for index, layer in enumerate(inner):
        twin = type(layer).from_config(layer.get_config())
        copy.add(twin)
        weights = [
            np.asarray(array, np.float32) for array in (folded if index == first else layer.get_weights())
        ]
        if weights:
            twin.set_weights(weights)
    copy.add(keras.layers.Softmax(name="scores"))
    return copy
