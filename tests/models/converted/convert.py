# SPDX-License-Identifier: Apache-2.0
"""Makes the files beside this one, which TensorFlow's converter wrote: it is not among the tests' packages.

.venv-train/bin/python tests/models/converted/convert.py

Small networks of random weights with 16-bit activations: what the converter makes of them is what counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

HERE = Path(__file__).parent


def convolutional(*, depthwise: bool) -> keras.Model:
    """Convolutions, a branch, pooling, softmax."""
    input_ = keras.Input((12, 8, 1), batch_size=1)
    x = keras.layers.Conv2D(6, 3, strides=(2, 1), padding="same", activation="relu")(input_)
    if depthwise:
        x = keras.layers.DepthwiseConv2D(3, padding="same")(x)
    x = keras.layers.LeakyReLU(0.1)(x)
    branch = keras.layers.Conv2D(6, 1, activation="tanh")(x)
    x = keras.layers.Add()([x, branch])
    x = keras.layers.Multiply()([x, keras.layers.Activation("sigmoid")(branch)])
    x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.ZeroPadding2D(1)(x)
    x = keras.layers.Conv2D(8, 3, dilation_rate=1, activation="relu6")(x)
    x = keras.layers.Concatenate()([keras.layers.AveragePooling2D(2)(x), keras.layers.MaxPooling2D(2)(x)])
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(input_, keras.layers.Dense(4, activation="softmax")(x))


def recurrent(layer: type[keras.layers.Layer]) -> keras.Model:
    """An unrolled layer and a dense one."""
    input_ = keras.Input((3, 4), batch_size=1)
    return keras.Model(input_, keras.layers.Dense(2)(layer(4, unroll=True)(input_)))


def converted(model: keras.Model, ends: tf.DType, bias: tf.DType | None = None) -> bytes:
    """The file. ends: type of input and output; bias: other than int64"""
    random = np.random.default_rng(0)

    def samples() -> Iterator[list[NDArray[np.float32]]]:
        for _ in range(50):
            yield [random.normal(size=model.inputs[0].shape).astype(np.float32)]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    ]
    converter.inference_input_type = converter.inference_output_type = ends
    if bias is not None:
        converter._experimental_full_integer_quantization_bias_type = bias
    return bytes(converter.convert())


def main() -> None:
    """All files."""
    keras.utils.set_random_seed(0)
    network, narrow = convolutional(depthwise=True), convolutional(depthwise=False)
    lstm, gru = recurrent(keras.layers.LSTM), recurrent(keras.layers.GRU)
    (HERE / "conv_16x8.tflite").write_bytes(converted(network, tf.float32))
    (HERE / "conv_16x8_bias32.tflite").write_bytes(converted(narrow, tf.int16, tf.int32))
    (HERE / "lstm_16x8.tflite").write_bytes(converted(lstm, tf.int16))
    (HERE / "gru_16x8.tflite").write_bytes(converted(gru, tf.int16))


if __name__ == "__main__":
    main()
