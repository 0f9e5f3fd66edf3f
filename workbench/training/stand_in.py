# SPDX-License-Identifier: Apache-2.0
"""The smallest model with a wanted input and output: a place holder for a model that is not trained yet."""

from __future__ import annotations

import ai_edge_litert.schema_py_generated as schema
import flatbuffers
import numpy as np
from numpy.typing import NDArray


def stand_in(shape: tuple[int, int], classes: int) -> bytes:
    """A .tflite: int8 [1, *shape, 1], where a feature enters unchanged, through one dense layer whose weights
    are 0, to int8 [1, classes]. It decides nothing. The same bytes every time: nothing is compiled anew."""
    size = shape[0] * shape[1]
    model, graph, dense = schema.ModelT(), schema.SubGraphT(), schema.OperatorT()
    model.version = 3
    model.buffers = [
        schema.BufferT(),
        _buffer(np.zeros((classes, size), np.int8)),
        _buffer(np.zeros(classes, np.int32)),
    ]
    graph.tensors = [
        _tensor("features", (1, *shape, 1), 1.0, -128),
        _tensor("weights", (classes, size), 1.0, 0, buffer=1),
        _tensor("bias", (classes,), 1.0, 0, buffer=2, kind=schema.TensorType.INT32),
        _tensor("scores", (1, classes), 1.0, 0),
    ]
    dense.inputs, dense.outputs = [0, 1, 2], [3]
    dense.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    dense.builtinOptions = schema.FullyConnectedOptionsT()
    graph.inputs, graph.outputs, graph.operators = [0], [3], [dense]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    code.version = 4  # int8
    model.operatorCodes, model.subgraphs = [code], [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _buffer(values: NDArray[np.generic]) -> schema.BufferT:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    return buffer


def _tensor(
    name: str,
    shape: tuple[int, ...],
    scale: float,
    zero_point: int,
    *,
    buffer: int = 0,
    kind: int = schema.TensorType.INT8,
) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name.encode(), shape, kind, buffer
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero_point]
    return tensor
