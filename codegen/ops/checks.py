# SPDX-License-Identifier: Apache-2.0
"""A node's tensors, and the checks that several families share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from codegen.kernels.channels import largest_sums
from codegen.kernels.requantize import quantization
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds
from codegen.ops.family import AGAIN, Check, Fault

BITS = (
    "convert the model again with weights of 8 bits (ai-edge-quantizer: static_wi8_ai8), or try "
    "--engine tflm: TensorFlow Lite Micro has kernels of its own, of some layers also for {}"
)
FUSED = ("none", "relu", "relu6", "relu_n1_to_1")


def operand(graph: Graph, node: Node, position: int) -> Tensor | None:
    """The node's input at `position`; None where it is left out."""
    if position >= len(node.inputs) or node.inputs[position] < 0:
        return None
    return graph.tensors[node.inputs[position]]


def result(graph: Graph, node: Node) -> Tensor:
    """The node's one output."""
    return graph.tensors[node.outputs[0]]


def present(graph: Graph, node: Node, position: int) -> Tensor:
    """The same of an input that `counts` has seen."""
    tensor = operand(graph, node, position)
    assert tensor is not None
    return tensor


def unary_tensors(graph: Graph, node: Node) -> tuple[Tensor, Tensor]:
    """Input and output."""
    return present(graph, node, 0), result(graph, node)


def binary_tensors(graph: Graph, node: Node) -> tuple[Tensor, Tensor, Tensor]:
    """Both operands and the output."""
    return present(graph, node, 0), present(graph, node, 1), result(graph, node)


def weighted_tensors(graph: Graph, node: Node) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
    """Input, weights, bias and output of a convolution or dense layer."""
    return present(graph, node, 0), present(graph, node, 1), operand(graph, node, 2), result(graph, node)


# --- checks ---


def counts(least: int, most: int) -> Check:
    """The check of the number of inputs, and of one output: the first of a family's."""
    return lambda graph, node: _check_counts(node, least, most)


def _check_counts(node: Node, least: int, most: int) -> Iterator[Fault]:
    found = sum(index >= 0 for index in node.inputs)
    if (
        not least <= found <= most
        or len(node.inputs) > most
        or any(index < 0 for index in node.inputs[:least])
    ):
        wanted = str(least) if least == most else f"{least} to {most}"
        yield Fault(f"{found} inputs; {wanted} are needed", AGAIN)
    if len(node.outputs) != 1:
        yield Fault(f"{len(node.outputs)} outputs; one is needed", AGAIN)


def check_int8(tensor: Tensor, what: str, *, constant: bool = False) -> Iterator[Fault]:
    """An activation: int8, one scale; computed, unless it may be constant."""
    yield from check_quantized(tensor, what, "int8", AGAIN, constant=constant)


def check_quantized(tensor: Tensor, what: str, dtype: str, remedy: str, *, constant: bool) -> Iterator[Fault]:
    """The same of an activation of another type. remedy: where it is none"""
    if tensor.data is not None and not constant:
        yield Fault(f"its {what} is constant", "compute the result before converting")
    if tensor.dtype != dtype:
        yield Fault(f"its {what} is {tensor.dtype}; {dtype} is needed", remedy)
    elif tensor.quantization is None:
        yield Fault(f"its {what} has no scale", remedy)
    elif len(tensor.quantization.scales) != 1:
        yield Fault(f"its {what} is quantized per channel; only weights may be", remedy)


def check_int8_ends(input_: Tensor, output: Tensor, *, rank: int | None = None) -> Iterator[Fault]:
    """A computed input and an output, both int8 of one scale. rank: of both"""
    yield from check_int8(input_, "input")
    yield from check_int8(output, "output")
    if rank is not None:
        yield from check_rank(input_, "input", rank)
        yield from check_rank(output, "output", rank)


def check_computed(tensor: Tensor) -> Iterator[Fault]:
    """An input that is no constant."""
    if tensor.data is not None:
        yield Fault("its input is constant", "compute the result before converting")


def check_same_shape(input_: Tensor, output: Tensor) -> Iterator[Fault]:
    """One shape on both sides."""
    if input_.shape != output.shape:
        yield Fault(f"its input is {list(input_.shape)}, its output {list(output.shape)}", AGAIN)


def same_scale(a: Tensor, b: Tensor) -> bool:
    """The same numbers mean the same values."""
    if a.quantization is None or b.quantization is None:
        return a.quantization is b.quantization
    return (a.quantization.scales, a.quantization.zero_points) == (
        b.quantization.scales,
        b.quantization.zero_points,
    )


def check_same_scale(input_: Tensor, output: Tensor, what: str = "its input and output") -> Iterator[Fault]:
    """One scale and zero point on both sides."""
    if not same_scale(input_, output):
        yield Fault(f"{what} have different scales or zero points", AGAIN)


def check_activation(node: Node) -> Iterator[Fault]:
    """The fused activation."""
    activation = node.options["fused_activation_function"]
    if activation not in FUSED:
        yield Fault(
            f"the fused activation {activation} is not supported ({', '.join(FUSED)} are)",
            "put the activation into a layer of its own",
        )


def check_rank(tensor: Tensor, what: str, rank: int) -> Iterator[Fault]:
    """Number of dimensions."""
    if len(tensor.shape) != rank:
        yield Fault(f"its {what} has the shape {list(tensor.shape)}; {rank} dimensions are needed", AGAIN)


def check_weights(weights: Tensor, channels: int, axis: int) -> Iterator[Fault]:
    """Constant int8 weights, symmetric, with one scale or one a channel."""
    if weights.dtype != "int8":
        remedy = BITS.format(weights.dtype) if weights.dtype in ("int4", "int2") else AGAIN
        yield Fault(f"its weights are {weights.dtype}; int8 is needed", remedy)
        return
    if weights.data is None:
        yield Fault("its weights are computed; they must be constant", "use a layer with trained weights")
        return
    params = weights.quantization
    if params is None:
        yield Fault("its weights have no scale", AGAIN)
    elif len(params.scales) not in (1, channels) or (len(params.scales) > 1 and params.axis != axis):
        yield Fault(
            f"its weights have {len(params.scales)} scales on axis {params.axis}; "
            f"one, or {channels} on axis {axis}, are needed",
            AGAIN,
        )
    elif any(params.zero_points):
        yield Fault("its weights have a zero point other than 0", AGAIN)


def check_bias(bias: Tensor | None, channels: int) -> Iterator[Fault]:
    """A constant int32 bias, or none."""
    if bias is None:
        return
    if bias.data is None:
        yield Fault("its bias is computed; it must be constant", "use a layer with a trained bias")
    elif bias.dtype != "int32":
        yield Fault(f"its bias is {bias.dtype}; int32 is needed", AGAIN)
    elif bias.size != channels:
        yield Fault(f"its bias has {bias.size} values for {channels} channels", AGAIN)


def weighted_scales(axis: int) -> Check:
    """The check that the scales of a convolution or dense layer let every sum become an output.

    axis: of the weights' channels. After the checks of weights, bias and shapes.
    """

    def check(graph: Graph, node: Node) -> Iterator[Fault]:
        input_, weights, bias, output = weighted_tensors(graph, node)
        assert weights.data is not None
        flat = np.moveaxis(weights.data, axis, 0).astype(np.int64).reshape(weights.shape[axis], -1)
        yield from bounds.check_range(output, node.options["fused_activation_function"])
        sums = largest_sums(flat, bias, quantization(input_).zero_point)
        yield from bounds.check_channels(input_, weights, output, sums)

    return check


def check_made(source: Tensor, output: Tensor, shape: Sequence[int]) -> Iterator[Fault]:
    """The output of a layer that moves values is of the input's type and the shape that follows."""
    if tuple(shape) != output.shape or source.dtype != output.dtype:
        found, wanted = f"{output.dtype}{list(output.shape)}", f"{source.dtype}{list(shape)}"
        yield Fault(f"its output is {found}, but {wanted} follows", AGAIN)
