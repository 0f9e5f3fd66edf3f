# SPDX-License-Identifier: Apache-2.0
"""The trained network as an int8 .tflite: integers throughout, converted as SensiML's tutorial does."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from workbench.training.network import with_scores
from workbench.training.quiet import quiet

SAMPLES = 500  # vectors that show the converter the ranges


def to_float(model: keras.Model, offset: int) -> bytes:
    """The same network as a .tflite in float32: what its size is compared with."""
    converter = tf.lite.TFLiteConverter.from_keras_model(with_scores(model, offset))
    with quiet():
        return bytes(converter.convert())


def to_int8(
    model: keras.Model, offset: int, values: NDArray[np.uint8], shape: tuple[int, int], seed: int
) -> bytes:
    """The .tflite file. values: uint8[n, rows * columns], training vectors in the order the network sees
    them.

    The input's real value is feature - offset, TensorFlow's convention for integers; with offset 0 the ranges
    shown include 0 and 255, so the scale is 1 and a feature enters the tensor unchanged but for the zero
    point of -128.
    """
    random = np.random.RandomState(seed)
    shown = values[random.choice(len(values), min(SAMPLES, len(values)), replace=False)].astype(np.float32)
    # The largest value of one vector becomes 255. It is the loudest frame's first cepstrum, which may well be
    # that.
    shown[0, shown[0].argmax()] = 255.0
    converter = tf.lite.TFLiteConverter.from_keras_model(with_scores(model, offset, rounded=True))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([row.reshape(1, *shape, 1)] for row in shown - offset)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    with quiet():
        return bytes(converter.convert())


def scores(
    content: bytes, values: NDArray[np.uint8], shape: tuple[int, int], offset: int
) -> NDArray[np.float32]:
    """float32[n, classes]: what the .tflite gives, by the reference kernels, whose bits the firmware has.
    values: as for to_int8()."""
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], (len(values), *shape, 1))
    interpreter.allocate_tensors()
    scale, zero = given["quantization"]
    real = values.astype(np.float32).reshape(-1, *shape, 1) - offset
    interpreter.set_tensor(given["index"], np.clip(np.rint(real / scale) + zero, -128, 127).astype(np.int8))
    interpreter.invoke()
    scale, zero = made["quantization"]
    return np.asarray((interpreter.get_tensor(made["index"]).astype(np.float32) - zero) * scale)


def versions() -> dict[str, str]:
    """Of the packages that a model's bytes depend on."""
    return {"TensorFlow": tf.__version__, "Keras": keras.__version__, "NumPy": np.__version__}
