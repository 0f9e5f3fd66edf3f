# SPDX-License-Identifier: Apache-2.0
"""UNIDIRECTIONAL_SEQUENCE_LSTM: int8 with a cell state of 16 bits, as converters make of keras.layers.LSTM.

The states last from one run to the next, in both interpreters and here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from codegen.common.reference import Reference
from codegen.kernels.channels import Ints, folded_bias, largest_sums
from codegen.kernels.layer import Array
from codegen.kernels.limits import OCTET
from codegen.kernels.packing import dense as dense_words
from codegen.kernels.requantize import Multiplier, float32, quantization, quantize_multiplier
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds
from codegen.ops.checks import check_bias, check_int8, check_weights, operand, present, result
from codegen.ops.family import AGAIN, Family, Fault

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

GATES = ("input", "forget", "cell", "output")  # in the order of their weights
BY_INPUT, BY_HIDDEN, BIASES = 1, 5, 12  # first of four inputs each
HIDDEN, CELL = 18, 19  # the states
HIDDEN_SCALE = 4  # of the intermediates
GATE_BITS = 12  # fraction bits of a gate before its function
CELL_BITS = (9, 15)  # fewest and most fraction bits of the cell state
UNROLL = "unroll the layer, keras.layers.LSTM(..., unroll=True): it becomes dense layers, products and sums"
# Inputs that only other kinds of LSTM have.
KINDS = (
    ((9, 10, 11), "peephole connections"),
    ((16, 17), "a projection"),
    ((20, 21, 22, 23), "layer normalisation"),
)


def check_kind(graph: Graph, node: Node) -> Iterator[Fault]:
    """The plain layer, all its tensors there."""
    if len(node.inputs) not in (20, 24) or len(node.outputs) != 1:
        yield Fault(f"{len(node.inputs)} inputs and {len(node.outputs)} outputs; 24 and 1 are needed", AGAIN)
        return
    for places, what in KINDS:
        if any(operand(graph, node, place) is not None for place in places):
            yield Fault(f"it has {what}, which is not supported", "use a plain keras.layers.LSTM")
            return
    if operand(graph, node, BY_INPUT) is None:
        yield Fault(
            "its input gate is made of its forget gate (CIFG), which is not supported",
            "use a plain keras.layers.LSTM",
        )
        return
    needed = (0, *range(BY_INPUT, BY_INPUT + 8), *range(BIASES, BIASES + 4), HIDDEN, CELL)
    missing = [place for place in needed if operand(graph, node, place) is None]
    if missing:
        yield Fault(f"its input {missing[0]} is left out", AGAIN)
        return
    activation = node.options["fused_activation_function"]
    if activation != "tanh":
        yield Fault(
            f'its activation is {activation}; "tanh" is needed', f'use activation="tanh", or {UNROLL}'
        )
    scale = present(graph, node, CELL).quantization
    if scale is not None and 0 < node.options["cell_clip"] < scale.scales[0]:
        yield Fault("its cell clip is less than a step of its cell state", AGAIN)
    if node.options["diagonal_recurrent_tensors"]:
        yield Fault("its recurrent weights are diagonal, which is not supported", UNROLL)


def check_types(graph: Graph, node: Node) -> Iterator[Fault]:
    """int8 ends and weights, an int8 hidden state, an int16 cell state."""
    yield from check_int8(present(graph, node, 0), "input")
    yield from check_int8(result(graph, node), "output")
    hidden, cell = present(graph, node, HIDDEN), present(graph, node, CELL)
    for state, what in ((hidden, "hidden state"), (cell, "cell state")):
        if not state.variable or state.data is not None:
            yield Fault(f"its {what} is no variable", AGAIN)
    yield from check_int8(hidden, "hidden state")
    if cell.dtype != "int16" or cell.quantization is None or len(cell.quantization.scales) != 1:
        yield Fault(f"its cell state is {cell.dtype}; int16 with one scale is needed", AGAIN)
        return
    scale = quantization(cell).scale
    bits = _cell_bits(cell)
    if 2.0**-bits != scale or not CELL_BITS[0] <= bits <= CELL_BITS[1]:
        low, high = (f"2^-{each}" for each in reversed(CELL_BITS))
        yield Fault(
            f"the scale of its cell state is {scale:.3g}; a power of 2 from {low} to {high} is needed",
            bounds.SCALES,
        )
    if len(node.intermediates) <= HIDDEN_SCALE:
        yield Fault("it has no scale for what leaves it before a projection", AGAIN)
        return
    inner = graph.tensors[node.intermediates[HIDDEN_SCALE]]
    if inner.quantization is None or len(inner.quantization.scales) != 1:
        yield Fault("it has no scale for what leaves it before a projection", AGAIN)


def check_shapes(graph: Graph, node: Node) -> Iterator[Fault]:
    """One batch; weights, biases and states that fit it and each other."""
    input_, output = present(graph, node, 0), result(graph, node)
    hidden, cell = present(graph, node, HIDDEN), present(graph, node, CELL)
    units, shape = hidden.size, input_.shape
    time = 0 if node.options["time_major"] else 1
    fit = len(shape) == 3 and output.shape == (*shape[:2], units) and cell.size == units
    if not fit or shape[1 - time] != 1:
        reported = f"input {list(shape)}, output {list(output.shape)}, states {list(hidden.shape)}"
        yield Fault(f"{reported}: a batch of 1 is needed, and states of its size", AGAIN)
        return
    for gate in range(len(GATES)):
        for first, columns in ((BY_INPUT, shape[2]), (BY_HIDDEN, units)):
            weights = present(graph, node, first + gate)
            yield from check_weights(weights, 1, axis=0)
            if weights.shape != (units, columns):
                yield Fault(
                    f"the weights of its {GATES[gate]} gate are {list(weights.shape)}; "
                    f"{[units, columns]} are needed",
                    AGAIN,
                )
        yield from check_bias(present(graph, node, BIASES + gate), units)


def check_scales(graph: Graph, node: Node) -> Iterator[Fault]:
    """Scales that the arithmetic can do."""
    for gate, name in enumerate(GATES):
        bias = present(graph, node, BIASES + gate)
        sources = ((present(graph, node, 0), BY_INPUT, bias), (present(graph, node, HIDDEN), BY_HIDDEN, None))
        for source, first, start in sources:
            weights = present(graph, node, first + gate)
            assert weights.data is not None
            sums = largest_sums(weights.data.astype(np.int64), start, quantization(source).zero_point)
            what = f"the scale of the sums of its {name} gate over 2^-{GATE_BITS}"
            yield from bounds.check_ratio(_gate_ratio(source, weights), max(sums), what)
    for tensor in (present(graph, node, HIDDEN), graph.tensors[node.intermediates[HIDDEN_SCALE]]):
        ratio = 2.0**-30 / quantization(tensor).scale
        yield from bounds.check_ratio(ratio, 1 << 30, "2^-30 over the scale of its output")


def _cell_bits(cell: Tensor) -> int:
    """Of the fraction, where the scale is a power of 2."""
    return 1 - math.frexp(quantization(cell).scale)[1]


def _gate_ratio(source: Tensor, weights: Tensor) -> float:
    """From sums to a gate's scale, in float32 steps."""
    return float32(quantization(weights).scale * quantization(source).scale) * (1 << GATE_BITS)


def _output(graph: Graph, node: Node, reference: Reference) -> tuple[Multiplier, int]:
    """From Q0.30 to the output, and its zero point."""
    if reference is Reference.TFLM:
        hidden = quantization(present(graph, node, HIDDEN))
        return quantize_multiplier(2.0**-30 / hidden.scale), hidden.zero_point
    inner = quantization(graph.tensors[node.intermediates[HIDDEN_SCALE]])
    return quantize_multiplier(float32(2.0**-30 / inner.scale)), inner.zero_point


def _scale(by: Multiplier) -> str:
    return f"{{{by.value}, {by.left}, {by.right}}}"


def _scales(source: Tensor, weights: list[Tensor]) -> str:
    return f"{{{', '.join(_scale(quantize_multiplier(_gate_ratio(source, each))) for each in weights)}}}"


def _starts(source: Tensor, weights: Ints, biases: Sequence[Tensor | None]) -> Ints:
    """Where the sums of [units, gates] start. weights: [units, inputs, gates]"""
    zero_point = quantization(source).zero_point
    gates = [folded_bias(weights[..., gate], bias, zero_point) for gate, bias in enumerate(biases)]
    return np.array(gates, np.int64).T


def logistic_table() -> list[int]:
    """1 / (1 + exp(-i / 24)) in Q0.16, i from 0 to 255: what TensorFlow Lite Micro interpolates.

    Each value is raised by half of the most that a straight line to its neighbour, h away, loses: h^2 / 8 of
    the second derivative. The last is 1.
    """
    values = []
    for i in range(255):
        y = 1 / (1 + math.exp(-i / 24))
        bend = y * (1 - y) * (2 * y - 1)  # the second derivative, from above
        values.append(math.floor((y + bend / (16 * 24 * 24)) * 65536 + 0.5))
    return [*values, 65535]


def lower(lowering: Lowering, node: Node) -> None:
    """One call for all steps."""
    graph = lowering.graph
    input_, hidden, cell = (present(graph, node, place) for place in (0, HIDDEN, CELL))
    weights = {
        first: [present(graph, node, first + gate) for gate in range(len(GATES))]
        for first in (BY_INPUT, BY_HIDDEN)
    }
    by_input, by_hidden = (
        np.stack([each.data.astype(np.int64) for each in tensors if each.data is not None], axis=-1)
        for tensors in weights.values()
    )
    biases = [present(graph, node, BIASES + gate) for gate in range(len(GATES))]
    starts = np.stack([_starts(input_, by_input, biases), _starts(hidden, by_hidden, [None] * len(GATES))], 1)
    states = [lowering.state(node.options["states"][state.index]) for state in (hidden, cell)]
    between = lowering.reference is Reference.TFLM
    by, zero_point = _output(graph, node, lowering.reference)
    clip = float(node.options["cell_clip"])
    steps, units = math.prod(input_.shape[:2]), by_input.shape[0]
    width, packed = dense_words.gates([each.transpose(0, 2, 1) for each in (by_input, by_hidden)])
    arrays = [
        packed,
        Array(
            "biases",
            "int32_t",
            starts.reshape(-1),
            "unit by unit, of the sums over inputs and last outputs",
        ),
    ]
    if between:
        note = "1 / (1 + exp(-i / 24)) in Q0.16"
        arrays.append(Array("logistic", "uint16_t", np.array(logistic_table(), np.int64), note))
    lowering.add(
        node,
        "lstm",
        type="lstm",
        form="_".join(word for word in (width, "interpolated" if between else "") if word),
        fields=[
            *((array.suffix, array.suffix) for array in arrays),
            ("steps", str(steps)),
            ("inputs", str(input_.shape[2])),
            ("units", str(units)),
            ("by_input", _scales(input_, weights[BY_INPUT])),
            ("by_hidden", _scales(hidden, weights[BY_HIDDEN])),
            ("by_output", _scale(by)),
            ("zero_point", str(zero_point)),
            ("cell_bits", str(_cell_bits(cell))),
            ("clip", str(int(min(32767.0, clip / quantization(cell).scale)) if clip > 0 else 0)),
        ],
        arrays=arrays,
        inputs=[input_.index, *states],
        scratch=sum(2 * OCTET * -(-values // OCTET) for values in (input_.shape[2], units)),
        macs=steps * (by_input.size + by_hidden.size),
    )


FAMILIES = (
    Family(
        ("UNIDIRECTIONAL_SEQUENCE_LSTM",),
        (check_kind, check_types, check_shapes, check_scales),
        lower,
        "each step of an LSTM needs the one before it",
        states=(HIDDEN, CELL),
    ),
)
