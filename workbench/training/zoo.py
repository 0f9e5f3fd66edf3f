# SPDX-License-Identifier: Apache-2.0
"""The kinds of kinds.py in Keras: features [rows, columns, 1] -> logits.

A batch normalisation between a convolution and its ReLU is folded into the convolution's weights by the
converter. One after the ReLU, or behind a dilated convolution, stays a multiplication and an addition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
from keras import layers

from workbench.training.kinds import Network, dilations

Layers = list[keras.Layer]
Shape = tuple[int, int]

MOMENTUM = 0.95  # of normalisations: an epoch has some tens of steps


def zoo_network(network: Network, shape: Shape, classes: int) -> keras.Model:
    """float32 [batch, *shape, 1] -> logits [batch, classes]."""
    made: Layers = [layers.Input((*shape, 1)), *_KINDS[network.kind](network, shape), layers.Flatten()]
    made.append(layers.Dropout(network.dropout))
    for number, units in enumerate(network.dense, start=1):
        made.append(layers.Dense(units, activation="relu", name=f"dense_{number}"))
    return keras.Sequential([*made, layers.Dense(classes, name="logits")])


def _cnn(network: Network, shape: Shape) -> Layers:
    """The normalisation stands after a ReLU, as in SensiML's tutorial."""
    made: Layers = []
    for number, channels in enumerate(network.convolutions, start=1):
        made.append(layers.Conv2D(channels, network.kernel, activation="relu", name=f"convolution_{number}"))
        if number == network.normalize_after:
            made.append(layers.BatchNormalization(momentum=MOMENTUM, name="normalization"))
            made.append(layers.Dropout(network.dropout))
    return made


def _ds_cnn(network: Network, shape: Shape) -> Layers:
    first, *others = network.convolutions
    made = [layers.Conv2D(first, network.kernel, name="convolution"), *_normalized("convolution")]
    for number, channels in enumerate(others, start=1):
        depthwise, pointwise = f"depthwise_{number}", f"pointwise_{number}"
        made += [layers.DepthwiseConv2D(network.kernel, name=depthwise), *_normalized(depthwise)]
        made += [layers.Conv2D(channels, 1, name=pointwise), *_normalized(pointwise)]
    return made


def _tcn(network: Network, shape: Shape) -> Layers:
    """The first convolution hears all columns of its rows."""
    made: Layers = []
    for number, (channels, dilation) in enumerate(
        zip(network.convolutions, dilations(network, shape[0]), strict=True), start=1
    ):
        name = f"convolution_{number}"
        kernel = (network.kernel, shape[1] if number == 1 else 1)
        made.append(layers.Conv2D(channels, kernel, dilation_rate=(dilation, 1), name=name))
        made += _normalized(name) if dilation == 1 else [layers.ReLU(name=f"{name}_relu")]
    return made


def _mlp(network: Network, shape: Shape) -> Layers:
    return []


def _normalized(name: str) -> Layers:
    return [
        layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_normalization"),
        layers.ReLU(name=f"{name}_relu"),
    ]


_KINDS: Mapping[str, Callable[[Network, Shape], Layers]] = {
    "cnn": _cnn,
    "ds_cnn": _ds_cnn,
    "tcn": _tcn,
    "mlp": _mlp,
}
