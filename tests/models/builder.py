# SPDX-License-Identifier: Apache-2.0
"""Writes .tflite files field by field, through the classes that FlatBuffers makes of TFLite's schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import ai_edge_litert.schema_py_generated as schema
import flatbuffers
import numpy as np
from numpy.typing import NDArray

Scales = float | Sequence[float] | None

TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "int16": schema.TensorType.INT16,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
    "bool": schema.TensorType.BOOL,
    "int4": schema.TensorType.INT4,
    "resource": schema.TensorType.RESOURCE,
}
ACTIVATIONS = {
    "none": schema.ActivationFunctionType.NONE,
    "relu": schema.ActivationFunctionType.RELU,
    "relu6": schema.ActivationFunctionType.RELU6,
    "relu_n1_to_1": schema.ActivationFunctionType.RELU_N1_TO_1,
    "tanh": schema.ActivationFunctionType.TANH,
}
PADDINGS = {"same": schema.Padding.SAME, "valid": schema.Padding.VALID}

# Operator -> its options' class, where it is not the operator's name in camel case.
OPTION_TABLES = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MEAN": "ReducerOptions",
    "SVDF": "SVDFOptions",
    "L2_NORMALIZATION": "L2NormOptions",
    "BATCH_MATMUL": "BatchMatMulOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_MIN": "ReducerOptions",
    "REDUCE_PROD": "ReducerOptions",
    "SUM": "ReducerOptions",
    "REVERSE_V2": "ReverseV2Options",
    "PADV2": "PadV2Options",
    "MAXIMUM": "MaximumMinimumOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "SPLIT_V": "SplitVOptions",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTMOptions",
}
VERSIONS = {
    "CONV_2D": 5,
    "DIV": 2,
    "DEPTHWISE_CONV_2D": 6,
    "FULLY_CONNECTED": 12,
    "GELU": 2,
    "REDUCE_MAX": 2,
    "REDUCE_MIN": 2,
    "REDUCE_PROD": 2,
    "BROADCAST_TO": 2,
    "L2_NORMALIZATION": 2,
    "BATCH_MATMUL": 2,
    "RESIZE_BILINEAR": 3,
    "SUM": 2,
    "LOG_SOFTMAX": 2,
    **dict.fromkeys(("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"), 2),
}


class Builder:
    """A model of one subgraph. Tensors and operators are added in order; each tensor's index is returned."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.name = b"main"
        self.graph.tensors = []
        self.graph.operators = []
        self.graph.inputs = []
        self.graph.outputs = []
        self.model.subgraphs = [self.graph]

    def tensor(
        self,
        shape: Sequence[int],
        dtype: str = "int8",
        scale: Scales = None,
        zero_point: int | Sequence[int] = 0,
        *,
        data: NDArray[Any] | None = None,
        name: str | None = None,
        axis: int = 0,
        signature: Sequence[int] | None = None,
        variable: bool = False,
    ) -> int:
        """A tensor; a constant where `data` is given, an operator's own state where it is `variable`."""
        tensor = schema.TensorT()
        tensor.name = name if name is not None else f"t{len(self.graph.tensors)}"
        tensor.shape = [int(size) for size in shape]
        tensor.type = TYPES[dtype]
        tensor.hasRank = True
        tensor.isVariable = variable
        if signature is not None:
            tensor.shapeSignature = list(signature)
        if scale is not None:
            scales = [float(scale)] if isinstance(scale, int | float) else [float(s) for s in scale]
            zeros = [zero_point] * len(scales) if isinstance(zero_point, int) else list(zero_point)
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scales
            tensor.quantization.zeroPoint = zeros
            tensor.quantization.quantizedDimension = axis
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def constant(
        self,
        data: NDArray[Any],
        scale: Scales = None,
        zero_point: int = 0,
        *,
        axis: int = 0,
        name: str | None = None,
    ) -> int:
        """A constant of the array's shape and type."""
        return self.tensor(data.shape, data.dtype.name, scale, zero_point, data=data, axis=axis, name=name)

    def operator(
        self,
        op: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options: Mapping[str, Any] | None = None,
        *,
        intermediates: Sequence[int] | None = None,
    ) -> None:
        """An operator. options: by the schema's names in camel case, e.g. strideW=2."""
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(op)
        operator.inputs = list(inputs)
        operator.outputs = list(outputs)
        operator.intermediates = None if intermediates is None else list(intermediates)
        if options is not None:
            table = OPTION_TABLES.get(op, "".join(word.capitalize() for word in op.split("_")) + "Options")
            operator.builtinOptions = getattr(schema, table + "T")()
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, table)
            for name, value in options.items():
                assert hasattr(operator.builtinOptions, name), name
                setattr(operator.builtinOptions, name, value)
        self.graph.operators.append(operator)

    def _code(self, op: str) -> int:
        for index, code in enumerate(self.model.operatorCodes):
            if code.name == op:
                return index
        code = schema.OperatorCodeT()
        code.name = op
        if op.startswith("CUSTOM "):
            code.builtinCode = schema.BuiltinOperator.CUSTOM
            code.customCode = op[7:].encode()
        else:
            code.builtinCode = getattr(schema.BuiltinOperator, op)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = VERSIONS.get(op, 1)
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1

    def variable(self, name: str, initial: NDArray[Any]) -> int:
        """A variable's handle in the main graph; a second graph sets its initial value, as converters do."""
        if len(self.model.subgraphs) == 1:
            second = schema.SubGraphT()
            second.name = b"NoOp"
            second.tensors, second.operators, second.inputs, second.outputs = [], [], [], []
            self.model.subgraphs.append(second)
            self.operator("CALL_ONCE", [], [], {"initSubgraphIndex": 1})
        main, self.graph = self.graph, self.model.subgraphs[1]
        handle = self.tensor((), "resource")
        self.operator("VAR_HANDLE", [], [handle], {"container": "", "sharedName": name})
        self.operator("ASSIGN_VARIABLE", [handle, self.constant(initial)], [])
        self.graph = main
        handle = self.tensor((), "resource")
        self.operator("VAR_HANDLE", [], [handle], {"container": "", "sharedName": name})
        return handle

    def ends(self, inputs: Sequence[int], outputs: Sequence[int]) -> Self:
        """These tensors are the model's."""
        self.graph.inputs = list(inputs)
        self.graph.outputs = list(outputs)
        return self

    def bytes(self) -> bytes:
        """The file's content."""
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def write(self, path: Path, inputs: Sequence[int], outputs: Sequence[int]) -> Path:
        """The file at `path`, with these tensors as the model's."""
        path.write_bytes(self.ends(inputs, outputs).bytes())
        return path
