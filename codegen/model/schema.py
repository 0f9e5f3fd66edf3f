# SPDX-License-Identifier: Apache-2.0
"""The parts of TFLite's schema (schema.fbs, version 3) that Earshot reads: slots, enumerations, options.

A test compares every number here with the classes that FlatBuffers generates from that schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

IDENTIFIER = b"TFL3"  # bytes 4..7 of every TFLite file
VERSION = 3


class Model:
    """Slots of the root table."""

    VERSION = 0
    OPERATOR_CODES = 1
    SUBGRAPHS = 2
    BUFFERS = 4


class OperatorCode:
    """Slots: which operator, and which version of it."""

    DEPRECATED_BUILTIN_CODE = 0  # int8, up to 127; the larger of the two codes counts
    CUSTOM_CODE = 1
    VERSION = 2
    BUILTIN_CODE = 3


class SubGraph:
    """Slots of one graph."""

    TENSORS = 0
    INPUTS = 1
    OUTPUTS = 2
    OPERATORS = 3
    NAME = 4


class Buffer:
    """Slots: constant data, or where after the FlatBuffer it lies."""

    DATA = 0
    OFFSET = 1
    SIZE = 2


class Tensor:
    """Slots of one tensor."""

    SHAPE = 0
    TYPE = 1
    BUFFER = 2
    NAME = 3
    QUANTIZATION = 4
    IS_VARIABLE = 5
    SPARSITY = 6
    SHAPE_SIGNATURE = 7


class QuantizationParameters:
    """Slots: scales and zero points."""

    SCALE = 2
    ZERO_POINT = 3
    DETAILS_TYPE = 4
    QUANTIZED_DIMENSION = 6


class Operator:
    """Slots of one operator."""

    OPCODE_INDEX = 0
    INPUTS = 1
    OUTPUTS = 2
    OPTIONS_TYPE = 3
    OPTIONS = 4
    INTERMEDIATES = 8


# TensorType, by number. The names are NumPy's where NumPy has the type.
TYPES: tuple[str, ...] = (
    "float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16", "complex64", "int8",
    "float64", "complex128", "uint64", "resource", "variant", "uint32", "uint16", "int4", "bfloat16", "int2",
    "uint4", "float8_e4m3fn", "float8_e5m2",
)  # fmt: skip

# Types whose tensors can hold data here.
NUMPY_TYPES = frozenset(
    (
        "float32",
        "float16",
        "int32",
        "uint8",
        "int64",
        "bool",
        "int16",
        "int8",
        "float64",
        "uint64",
        "uint32",
        "uint16",
    )
)

ACTIVATIONS: tuple[str, ...] = ("none", "relu", "relu_n1_to_1", "relu6", "tanh", "sign_bit")
PADDINGS: tuple[str, ...] = ("same", "valid")


@dataclass(frozen=True)
class Option:
    """One field of an operator's options.

    kind: a scalar type, "text", "int32s" (a vector), or an enumeration: "activation", "padding", "type"
    """

    slot: int
    kind: str
    default: Any


_ACTIVATION = ("activation", "none")

_POOL = {
    "padding": Option(0, "padding", "same"),
    "stride_w": Option(1, "int32", 0),
    "stride_h": Option(2, "int32", 0),
    "filter_width": Option(3, "int32", 0),
    "filter_height": Option(4, "int32", 0),
    "fused_activation_function": Option(5, *_ACTIVATION),
}

_SUM = {
    "fused_activation_function": Option(0, *_ACTIVATION),
    "pot_scale_int16": Option(1, "bool", True),
}

_REDUCER = {"keep_dims": Option(0, "bool", False)}

# Operator -> (its table's number in the union BuiltinOptions, option -> field). Names as in the schema.
OPTIONS: dict[str, tuple[int, dict[str, Option]]] = {
    "CONV_2D": (1, {
        "padding": Option(0, "padding", "same"),
        "stride_w": Option(1, "int32", 0),
        "stride_h": Option(2, "int32", 0),
        "fused_activation_function": Option(3, *_ACTIVATION),
        "dilation_w_factor": Option(4, "int32", 1),
        "dilation_h_factor": Option(5, "int32", 1),
        "quantized_bias_type": Option(6, "type", "float32"),
    }),
    "DEPTHWISE_CONV_2D": (2, {
        "padding": Option(0, "padding", "same"),
        "stride_w": Option(1, "int32", 0),
        "stride_h": Option(2, "int32", 0),
        "depth_multiplier": Option(3, "int32", 0),
        "fused_activation_function": Option(4, *_ACTIVATION),
        "dilation_w_factor": Option(5, "int32", 1),
        "dilation_h_factor": Option(6, "int32", 1),
    }),
    "SVDF": (6, {"rank": Option(0, "int32", 0), "fused_activation_function": Option(1, *_ACTIVATION)}),
    "FULLY_CONNECTED": (8, {
        "fused_activation_function": Option(0, *_ACTIVATION),
        "weights_format": Option(1, "int8", 0),
        "keep_num_dims": Option(2, "bool", False),
        "quantized_bias_type": Option(4, "type", "float32"),
    }),
    "SOFTMAX": (9, {"beta": Option(0, "float32", 0.0)}),
    "ADD": (11, _SUM),
    "RESHAPE": (17, {"new_shape": Option(0, "int32s", ())}),
    "MUL": (21, {"fused_activation_function": Option(0, *_ACTIVATION)}),
    "STRIDED_SLICE": (32, {
        "begin_mask": Option(0, "int32", 0),
        "end_mask": Option(1, "int32", 0),
        "ellipsis_mask": Option(2, "int32", 0),
        "new_axis_mask": Option(3, "int32", 0),
        "shrink_axis_mask": Option(4, "int32", 0),
        "offset": Option(5, "bool", False),
    }),
    "AVERAGE_POOL_2D": (5, _POOL),
    "MAX_POOL_2D": (5, _POOL),
    "CONCATENATION": (10, {
        "axis": Option(0, "int32", 0),
        "fused_activation_function": Option(1, *_ACTIVATION),
    }),
    "MEAN": (27, _REDUCER),
    "REDUCE_MAX": (27, _REDUCER),
    "REDUCE_MIN": (27, _REDUCER),
    "REDUCE_PROD": (27, _REDUCER),
    "SUM": (27, _REDUCER),
    "DIV": (29, {"fused_activation_function": Option(0, *_ACTIVATION)}),
    "SUB": (28, _SUM),
    "LEAKY_RELU": (75, {"alpha": Option(0, "float32", 0.0)}),
    "UNPACK": (64, {"num": Option(0, "int32", 0), "axis": Option(1, "int32", 0)}),
    "RESIZE_BILINEAR": (15, {
        "align_corners": Option(2, "bool", False),
        "half_pixel_centers": Option(3, "bool", False),
    }),
    "RESIZE_NEAREST_NEIGHBOR": (74, {
        "align_corners": Option(0, "bool", False),
        "half_pixel_centers": Option(1, "bool", False),
    }),
    "CALL_ONCE": (103, {"init_subgraph_index": Option(0, "int32", 0)}),
    "VAR_HANDLE": (111, {"container": Option(0, "text", ""), "shared_name": Option(1, "text", "")}),
    "GATHER": (23, {"axis": Option(0, "int32", 0), "batch_dims": Option(1, "int32", 0)}),
    "BATCH_MATMUL": (101, {"adj_x": Option(0, "bool", False), "adj_y": Option(1, "bool", False)}),
    "L2_NORMALIZATION": (12, {"fused_activation_function": Option(0, *_ACTIVATION)}),
    "TRANSPOSE_CONV": (49, {
        "padding": Option(0, "padding", "same"),
        "stride_w": Option(1, "int32", 0),
        "stride_h": Option(2, "int32", 0),
        "fused_activation_function": Option(3, *_ACTIVATION),
    }),
    "GELU": (116, {"approximate": Option(0, "bool", False)}),
    "MIRROR_PAD": (77, {"mode": Option(0, "int8", 0)}),
    "SPACE_TO_DEPTH": (19, {"block_size": Option(0, "int32", 0)}),
    "DEPTH_TO_SPACE": (94, {"block_size": Option(0, "int32", 0)}),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (71, {
        "fused_activation_function": Option(0, *_ACTIVATION),
        "cell_clip": Option(1, "float32", 0.0),
        "proj_clip": Option(2, "float32", 0.0),
        "time_major": Option(3, "bool", False),
        "diagonal_recurrent_tensors": Option(5, "bool", False),
    }),
    "SHAPE": (55, {"out_type": Option(0, "type", "float32")}),
    "PACK": (59, {"values_count": Option(0, "int32", 0), "axis": Option(1, "int32", 0)}),
}  # fmt: skip

# BuiltinOperator, by number.
_OPERATORS = """
ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR
FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC
LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX
SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD
UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE
UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE
BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL
LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT
RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT
UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR
LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK
ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4
NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL
PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS
HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE
READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL
GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2
UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE
STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP STABLEHLO_CONCATENATE
STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE
STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG
STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER STABLEHLO_RSQRT
STABLEHLO_SELECT STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER STABLEHLO_COMPARE STABLEHLO_CONVERT
STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA STABLEHLO_DOT_GENERAL
STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE STABLEHLO_GATHER STABLEHLO_TRANSPOSE DILATE
STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT
STABLEHLO_CASE
"""
OPERATORS: tuple[str, ...] = tuple(_OPERATORS.split())
