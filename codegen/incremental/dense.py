# SPDX-License-Identifier: Apache-2.0
"""The dense layer after kept rows: weights in the order of the rows, int16 or two outputs a word."""

from __future__ import annotations

import numpy as np

from codegen.incremental.state import History
from codegen.kernels.layer import Layer
from codegen.kernels.packing.dense import stream_dense
from codegen.kernels.packing.lanes import NotExactError
from codegen.model.graph import Tensor
from codegen.ops.rows import View

# how a dense layer's kernel ends -> the same rounding after kept rows
FORMS = {
    "": "FULLY_CONNECTED_ONCE",
    "_wide": "FULLY_CONNECTED_WIDE",
    "_steps": "FULLY_CONNECTED_STEPS",
    "_twice": "FULLY_CONNECTED_TWICE",
    "_fast": "FULLY_CONNECTED_FAST",
}


def serves(weights: Tensor, fast: bool) -> bool:
    """The kernel is exact with these weights."""
    assert weights.data is not None
    if fast:
        return True
    try:
        stream_dense(weights.data.astype(np.int64), wide=False)
    except NotExactError:
        return False
    return True


def dense_layer(
    layer: Layer, weights: Tensor, order: np.typing.NDArray[np.int64], history: History, fast: bool
) -> Layer:
    """The dense layer over `history`. order: place in the dense layer's input of each value of the rows."""
    assert weights.data is not None
    outputs = len(weights.data)
    padded = np.zeros((outputs, history.rows, history.columns, history.pitch), np.int64)
    padded[..., : history.depth] = weights.data.astype(np.int64)[:, order].reshape(
        outputs, history.rows, history.columns, history.depth
    )
    made = stream_dense(padded.reshape(outputs, -1), wide=fast)
    arrays = tuple(array for array in layer.arrays if array.suffix != "weights")
    fields = [(f"dense.{name}", value) for name, value in layer.fields if name != "weights"]
    return Layer(
        name=layer.name,
        kernel=made.type,
        type=made.type,
        fields=(
            *fields,
            ("form", FORMS[layer.kernel.removeprefix(layer.type)]),
            *made.fields,
            ("weights", "weights"),
        ),
        arrays=(*arrays, made.array),
        inputs=layer.inputs,
        output=layer.output,
        node=layer.node,
        macs=layer.macs,
        input_type="int16_t",
    )


def row_order(tensor: Tensor, view: View) -> np.typing.NDArray[np.int64]:
    """Place in the flat tensor of each value of its rows, row by row."""
    places = np.arange(tensor.size, dtype=np.int64)
    if not view.turned:
        return places
    assert view.axis is not None
    return np.moveaxis(places.reshape(tensor.shape), view.axis, 0).reshape(-1)
