# SPDX-License-Identifier: Apache-2.0
"""The checks that families of 16-bit activations share: int16 with one scale and the zero point 0."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.kernels.requantize import quantization
from codegen.kernels.round_exact import LARGEST_SCALE, LARGEST_SUM
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds
from codegen.ops.checks import check_quantized, check_rank, unary_tensors, weighted_tensors
from codegen.ops.family import Fault

INT8 = (
    "convert the model with tf.lite.OpsSet.TFLITE_BUILTINS_INT8 in place of "
    "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8 (torch: 8-bit activations)"
)
AGAIN = "convert the model again with 16-bit activations and 8-bit weights, or with full int8 quantisation"
LARGEST_INPUT = 1 << 15


def check_int16(tensor: Tensor, what: str, *, constant: bool = False) -> Iterator[Fault]:
    """An activation: int16, one scale, zero point 0; computed, unless it may be constant."""
    yield from check_quantized(tensor, what, "int16", AGAIN, constant=constant)
    if tensor.dtype == "int16" and tensor.quantization is not None and any(tensor.quantization.zero_points):
        yield Fault(f"its {what} has the zero point {tensor.quantization.zero_points[0]}; int16 has 0", AGAIN)


def check_int16_ends(input_: Tensor, output: Tensor, *, rank: int | None = None) -> Iterator[Fault]:
    """A computed input and an output, both int16. rank: of both"""
    yield from check_int16(input_, "input")
    yield from check_int16(output, "output")
    if rank is not None:
        yield from check_rank(input_, "input", rank)
        yield from check_rank(output, "output", rank)


def check_unary(graph: Graph, node: Node) -> Iterator[Fault]:
    """The same of an operator with one input."""
    yield from check_int16_ends(*unary_tensors(graph, node))


def check_bias(node: Node, bias: Tensor | None, channels: int) -> Iterator[Fault]:
    """A constant bias of int64, or of int32 where the file says so; or none."""
    if bias is None:
        return
    said = node.options.get("quantized_bias_type", "float32")
    if bias.data is None:
        yield Fault("its bias is computed; it must be constant", "use a layer with a trained bias")
    elif bias.dtype not in ("int64", "int32"):
        yield Fault(f"its bias is {bias.dtype}; int64 or int32 is needed beside int16", AGAIN)
    elif bias.dtype == "int32" and node.op == "DEPTHWISE_CONV_2D":
        yield Fault(
            "its bias is int32; the reference kernel has int64 alone",
            "convert the model again with biases of int64, the converter's default",
        )
    elif bias.dtype == "int32" and said != "int32":
        yield Fault(
            "its bias is int32, but its option quantized_bias_type does not say so: "
            "the reference kernel would read it as int64",
            "convert the model again with biases of int64, the converter's default",
        )
    elif bias.size != channels:
        yield Fault(f"its bias has {bias.size} values for {channels} channels", AGAIN)


def check_sums(graph: Graph, node: Node, largest: list[int]) -> Iterator[Fault]:
    """Scales that let every sum become an output. largest: of |sum|, by channel"""
    input_, weights, _, output = weighted_tensors(graph, node)
    yield from bounds.check_range(output, node.options["fused_activation_function"])
    if max(largest) >= LARGEST_SUM:
        yield Fault(f"a sum may reach {max(largest)}; the operator is defined below 2^47", bounds.SCALES)
        return
    ratio = max(quantization(weights).scales) * quantization(input_).scale / quantization(output).scale
    if not ratio < LARGEST_SCALE:
        what = "the ratio of its input's and weights' scale to its output's"
        yield Fault(f"{what} is {ratio:.3g}; the operator is defined below 2^7", bounds.SCALES)
        return
    yield from _check_results(input_, weights, output, largest)


def _check_results(input_: Tensor, weights: Tensor, output: Tensor, largest: list[int]) -> Iterator[Fault]:
    """Results stay within 32 bits; sums may have more."""
    scales = quantization(weights).scales
    scales = scales * len(largest) if len(scales) == 1 else scales
    for channel, (scale, most) in enumerate(zip(scales, largest, strict=True)):
        ratio = quantization(input_).scale * scale / quantization(output).scale
        if not ratio * most <= bounds.LARGEST:
            what = f"the ratio of its input's and weights' scale to its output's, of channel {channel},"
            limit = bounds.LARGEST / most
            yield Fault(
                f"{what} is {ratio:.3g}; results stay within 32 bits up to {limit:.3g}", bounds.SCALES
            )
            return
