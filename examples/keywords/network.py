# SPDX-License-Identifier: Apache-2.0
"""The network of this app: convolutions over time alone, none padded, so that a decision computes one new row
of each layer."""

import keras
from keras import layers

CHANNELS = 40
DILATIONS = (1, 2, 4)  # frames between the taps of the later convolutions: they hear 17 frames, 425 ms


def network(shape: tuple[int, int], classes: int) -> keras.Model:
    """Logits of `classes` out of features [frames, cepstra, 1]."""
    frames, cepstra = shape
    model = [keras.Input((frames, cepstra, 1)), *_convolution((3, cepstra), 1)]
    for dilation in DILATIONS:
        model += _convolution((3, 1), dilation)
    model += [layers.Flatten(), layers.Dropout(0.4), layers.Dense(classes)]
    return keras.Sequential(model)


def _convolution(kernel: tuple[int, int], dilation: int) -> list[keras.Layer]:
    """Convolution, normalisation, ReLU: the normalisation lets the features enter as they are."""
    return [
        layers.Conv2D(CHANNELS, kernel, dilation_rate=(dilation, 1)),
        layers.BatchNormalization(momentum=0.97),
        layers.ReLU(),
    ]
