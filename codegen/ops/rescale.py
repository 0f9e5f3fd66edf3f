# SPDX-License-Identifier: Apache-2.0
"""QUANTIZE and DEQUANTIZE: changes of type and scale, with floats at the model's ends only.

A float end needs no float arithmetic: from float, 255 thresholds are compared as bit patterns; to float, each
of the 256 values has its bit pattern in a table. Of 16 bits there are too many; integers do what float32
division and multiplication do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels.layer import Array
from codegen.kernels.requantize import quantization, quantize_multiplier
from codegen.model.graph import Graph, Node, Tensor
from codegen.ops import bounds, reshape, unary
from codegen.ops.checks import check_computed, check_same_shape, counts, unary_tensors
from codegen.ops.family import AGAIN, Family, Fault
from codegen.ops.rows import elementwise

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

INTEGERS = ("int8", "uint8", "int16")
WIDE = "int32"  # of counts and sums: of larger ones than an int16 holds the reference may wrap, and so do we
INSIDE = "convert it with full int8 quantisation, so that floats are at its ends at most"


def check(graph: Graph, node: Node) -> Iterator[Fault]:
    """Integers of one scale on the quantized side; a float side is the model's end."""
    input_, output = unary_tensors(graph, node)
    yield from check_same_shape(input_, output)
    yield from check_computed(input_)
    if node.op == "DEQUANTIZE":
        yield from _check_side(input_, "input", INTEGERS)
        if output.dtype != "float32":
            yield Fault(f"its output is {output.dtype}; float32 is possible", AGAIN)
        if any(index in later.inputs for later in graph.nodes for index in node.outputs if _computes(later)):
            yield Fault("it makes floats inside the model", INSIDE)
        yield from _check_float_side(input_)
    elif input_.dtype == "float32":
        yield from _check_side(output, "output", INTEGERS)
        if any(input_.index in earlier.outputs for earlier in graph.nodes if _computes(earlier)):
            yield Fault("it reads floats inside the model", INSIDE)
        yield from _check_float_side(output)
    else:
        yield from _check_side(input_, "input", (*INTEGERS, WIDE))
        yield from _check_side(output, "output", (*INTEGERS, WIDE))
        if "uint8" in (input_.dtype, output.dtype) and {"int16", WIDE} & {input_.dtype, output.dtype}:
            yield Fault(f"it turns {input_.dtype} into {output.dtype}, which TFLite has no kernel for", AGAIN)
        if input_.dtype == output.dtype == WIDE:
            yield Fault("it turns int32 into int32, which TFLite has no kernel for", AGAIN)
        if all(
            tensor.quantization is not None and len(tensor.quantization.scales) == 1
            for tensor in (input_, output)
        ):
            largest = bounds.BYTE if input_.dtype in unary.BYTES else bounds.WORD
            yield from bounds.check_ratio(quantization(input_).scale / quantization(output).scale, largest)


def _computes(node: Node) -> bool:
    return node.op not in reshape.OPS


def _check_side(tensor: Tensor, what: str, types: tuple[str, ...]) -> Iterator[Fault]:
    if tensor.dtype not in types:
        yield Fault(f"its {what} is {tensor.dtype}; {', '.join(types)} are possible", AGAIN)
    elif tensor.quantization is None or len(tensor.quantization.scales) != 1:
        yield Fault(f"its {what} has no scale, or several", AGAIN)


def _check_float_side(tensor: Tensor) -> Iterator[Fault]:
    """What the integers that stand for float32 need of 16-bit values on the other side."""
    if tensor.dtype != "int16" or tensor.quantization is None or len(tensor.quantization.scales) != 1:
        return
    if tensor.quantization.zero_point != 0:
        yield Fault(f"its int16 have the zero point {tensor.quantization.zero_point}; 0 is needed", AGAIN)
    yield from bounds.check_shift(tensor.quantization.scale, -99, 99, "the scale of its int16")


def ordered(values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> list[int]:
    """Bit patterns of floats as integers that compare as the floats do."""
    bits = values.view(np.int32).astype(np.int64)
    return [int(b) if b >= 0 else -(int(b) & 0x7FFFFFFF) - 1 for b in bits]


def _float_of(key: int) -> np.float32:
    bits = key if key >= 0 else (-key - 1) | 0x80000000
    return np.float32(np.frombuffer(np.uint32(bits).tobytes(), np.float32)[0])


def thresholds(output: Tensor) -> list[int]:
    """Of each level above the lowest, the least float that reaches it, as an ordered bit pattern."""
    scale, zero_point = np.float32(quantization(output).scale), quantization(output).zero_point
    limits = np.iinfo(output.dtype)

    def level(key: int) -> int:
        with np.errstate(over="ignore"):
            return unary.round_away(float(_float_of(key) / scale)) + zero_point

    largest = ordered(np.array([np.finfo(np.float32).max * min(1.0, float(scale) / 2)], np.float32))[0]
    found = []
    for wanted in range(int(limits.min) + 1, int(limits.max) + 1):
        low, high = -largest - 1, largest
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if level(middle) >= wanted else (middle, high)
        found.append(high)
    return found


def lower(lowering: Lowering, node: Node) -> None:
    """A table between 8-bit types, else one of the kernels of rescale.h."""
    input_, output = unary_tensors(lowering.graph, node)
    if input_.dtype in unary.BYTES and output.dtype in unary.BYTES:
        unary.lower(lowering, node)
    elif "int16" in (input_.dtype, output.dtype) and "float32" in (input_.dtype, output.dtype):
        _lower_float_16x8(lowering, node, input_, output)
    elif output.dtype == "float32":
        _lower_to_float(lowering, node, input_, output)
    elif input_.dtype == "float32":
        levels = Array(
            "thresholds", "int32_t", np.array(thresholds(output)), "least float of each level, as bits"
        )
        lowest = int(np.iinfo(output.dtype).min)
        fields = [("thresholds", "thresholds"), ("count", str(output.size)), ("lowest", str(lowest))]
        lowering.add(node, "quantize", type="rescale_from_float", fields=fields, arrays=(levels,))
    else:
        _lower_integers(lowering, node, input_, output)


def _lower_to_float(lowering: Lowering, node: Node, input_: Tensor, output: Tensor) -> None:
    scale, zero_point = quantization(input_).scale, quantization(input_).zero_point
    values = np.arange(-128, 128).astype(np.int8).view(input_.dtype).astype(np.int64)
    floats = (scale * (values - zero_point).astype(np.float64)).astype(np.float32)
    table = Array(
        "table",
        "uint32_t",
        floats.view(np.uint32).astype(np.int64),
        "float of each value -128 .. 127, as bits",
    )
    fields = [("table", "table"), ("count", str(output.size))]
    lowering.add(node, "dequantize", type="rescale_to_float", fields=fields, arrays=(table,))


def _lower_float_16x8(lowering: Lowering, node: Node, input_: Tensor, output: Tensor) -> None:
    """The scale as a significand of 24 bits and a biased exponent."""
    quantizes = input_.dtype == "float32"
    bits = int(np.float32(quantization(output if quantizes else input_).scale).view(np.uint32))
    numbers = {
        "count": output.size,
        "significand": (bits & 0x7FFFFF) | 0x800000,
        "exponent": bits >> 23,
    }
    lowering.add(
        node,
        node.op.lower(),
        type="float_16x8",
        form=node.op.lower(),
        fields=[(name, str(value)) for name, value in numbers.items()],
    )


def _lower_integers(lowering: Lowering, node: Node, input_: Tensor, output: Tensor) -> None:
    by = quantize_multiplier(quantization(input_).scale / quantization(output).scale)
    limits = np.iinfo(output.dtype)
    lowering.add(
        node,
        "rescale",
        type="rescale",
        form=f"{input_.dtype}_{output.dtype}",
        fields=[
            ("count", str(output.size)),
            ("multiplier", str(by.value)),
            ("left", str(by.left)),
            ("right", str(by.right)),
            ("zero_in", str(quantization(input_).zero_point)),
            ("zero_out", str(quantization(output).zero_point)),
            ("low", str(limits.min)),
            ("high", str(limits.max)),
        ],
    )


FAMILIES = (
    Family(("QUANTIZE",), (counts(1, 1), check), lower, elementwise),
    Family(("DEQUANTIZE",), (counts(1, 1), check), lower),
)
