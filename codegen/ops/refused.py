"""Operators that the engine does not compute, and what their owners can use in their place."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.ops.family import Fault

_LATER = "the operator {op} is not supported yet; a later version will have it"
_UNROLLED = (
    "until then unroll the layer, e.g. keras.layers.LSTM(..., unroll=True): it becomes dense layers, "
    "products and sums"
)
# operator -> what is said of it, where it is not only "not supported"
LATER: Mapping[str, str] = {
    "SVDF": "until then use keras.layers.DepthwiseConv1D over time and a Dense layer, which compute the same",
    "LSTM": _UNROLLED,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _UNROLLED,
    "BIDIRECTIONAL_SEQUENCE_LSTM": _UNROLLED,
}
# operator -> a layer of Keras that converts to operators which are supported
INSTEAD: Mapping[str, str] = {
    "ARG_MAX": "leave the layer away: the decision takes the largest score itself",
    "BATCH_MATMUL": "use keras.layers.Dense, whose weights are constant",
    "ELU": 'use activation="relu"',
    "GELU": 'use activation="relu"',
    "L2_NORMALIZATION": "normalise the features before they enter the model",
    "LOG_SOFTMAX": 'use activation="softmax"; the largest score is the same class',
    "PRELU": "use keras.layers.LeakyReLU",
    "REDUCE_MAX": "use keras.layers.MaxPooling2D over the whole picture",
    "RESIZE_BILINEAR": 'use keras.layers.UpSampling2D(interpolation="nearest")',
    "RNN": "use keras.layers.SimpleRNN(..., unroll=True)",
    "SUM": "use keras.layers.GlobalAveragePooling2D, a mean",
    "TRANSPOSE_CONV": "use keras.layers.UpSampling2D and Conv2D",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "use keras.layers.SimpleRNN(..., unroll=True)",
    "WHILE": "unroll the recurrent layer, e.g. keras.layers.GRU(..., unroll=True)",
}


def refusal(op: str, supported: list[str]) -> Fault:
    """Why a layer of this operator is refused."""
    if op.startswith("CUSTOM "):
        return Fault(
            f"the custom operator {op[7:]} is unknown",
            "replace the layer by one of TFLite's built-in operators",
        )
    if op in LATER:
        return Fault(_LATER.format(op=op), LATER[op])
    what = f"the operator {op} is not supported"
    return Fault(what, INSTEAD.get(op, f"replace the layer; supported are {', '.join(sorted(supported))}"))
