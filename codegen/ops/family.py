"""What an operator family provides, and the checks that several families share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from codegen.model.graph import Graph, Node, Tensor

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering


class Fault(NamedTuple):
    """Why a layer is refused, and what its owner can do."""

    what: str
    remedy: str


@dataclass(frozen=True)
class Family:
    """ops: the schema's names; check: a node's faults; lower: the kernel calls of a node without faults."""

    ops: tuple[str, ...]
    check: Callable[[Graph, Node], Iterator[Fault]]
    lower: Callable[[Lowering, Node], None]


AGAIN = "convert the model again with full int8 quantisation"
FUSED = ("none", "relu", "relu6", "relu_n1_to_1")


def operand(graph: Graph, node: Node, position: int) -> Tensor | None:
    """The node's input at `position`; None where it is left out."""
    if position >= len(node.inputs) or node.inputs[position] < 0:
        return None
    return graph.tensors[node.inputs[position]]


def result(graph: Graph, node: Node) -> Tensor:
    """The node's one output."""
    return graph.tensors[node.outputs[0]]


def check_counts(node: Node, least: int, most: int) -> Iterator[Fault]:
    """Number of inputs and outputs."""
    present = sum(index >= 0 for index in node.inputs)
    if (
        not least <= present <= most
        or len(node.inputs) > most
        or any(index < 0 for index in node.inputs[:least])
    ):
        wanted = str(least) if least == most else f"{least} to {most}"
        yield Fault(f"{present} inputs; {wanted} are needed", AGAIN)
    if len(node.outputs) != 1:
        yield Fault(f"{len(node.outputs)} outputs; one is needed", AGAIN)


def check_int8(tensor: Tensor, what: str, *, constant: bool = False) -> Iterator[Fault]:
    """An activation: int8, one scale; computed, unless it may be constant."""
    if tensor.data is not None and not constant:
        yield Fault(f"its {what} is constant", "compute the result before converting")
    if tensor.dtype != "int8":
        yield Fault(f"its {what} is {tensor.dtype}; int8 is needed", AGAIN)
    elif tensor.quantization is None:
        yield Fault(f"its {what} has no scale", AGAIN)
    elif len(tensor.quantization.scales) != 1:
        yield Fault(f"its {what} is quantized per channel; only weights may be", AGAIN)


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
    if weights.data is None:
        yield Fault("its weights are computed; they must be constant", "use a layer with trained weights")
        return
    if weights.dtype != "int8":
        yield Fault(f"its weights are {weights.dtype}; int8 is needed", AGAIN)
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
