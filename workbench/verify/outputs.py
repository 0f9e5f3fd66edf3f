# SPDX-License-Identifier: Apache-2.0
"""A model's generated C against the reference interpreter, on inputs made to find differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError
from codegen.model.graph import Graph, Tensor
from workbench.host.arrays import row_shape
from workbench.host.engine import Engine, run_all
from workbench.progress import progress
from workbench.verify.packed import pack, unpack
from workbench.verify.reference import ReferenceInterpreter

MOST_VALUES = 1 << 25  # of all random inputs
_BLOCK = 16  # inputs the interpreter gets at once: a large model still shows progress
_ONE_HOT = 16
_BISECTIONS = 7  # of 8-bit values: neighbours at the end
_SPREADS = (1, 1, 2, 4, 16)  # every fifth random input stays within 1/16 of the range around the zero point


@dataclass(frozen=True)
class Difference:
    """The first output that differs."""

    input: int
    name: str  # of the input: "ramp", "random 12"
    output: tuple[int, ...]  # its index in the tensor, without the batch
    expected: float
    found: float


@dataclass(frozen=True)
class Verification:
    """Counts of output values over all inputs."""

    inputs: int
    compared: int
    differing: int
    largest: float  # absolute difference; a whole number where outputs are integers
    distinct: int  # values the reference gave: few of them hide differences
    first: Difference | None


def float_probes(graph: Graph, input_: int, samples: int, seed: int) -> tuple[NDArray[Any], list[str]]:
    """The same for a float32 input: the steps of a QUANTIZE that reads it, between them, beyond the range.
    Where none reads it, values around 0."""
    readers = (node for node in graph.nodes if node.op == "QUANTIZE" and node.inputs[0] == input_)
    reader = next(readers, None)
    if reader is None:
        return _reals(graph.tensors[input_], samples, seed)
    inside = graph.tensors[reader.outputs[0]]
    quantization = inside.quantization
    assert quantization is not None
    steps, names = probes(inside, samples, seed)
    random = np.random.default_rng(seed)
    apart = random.uniform(-0.5, 0.5, steps.shape)
    apart[::3] = 0.5 * random.integers(-1, 2, steps[::3].shape)  # on a step, and half way to the next
    reals = (steps.astype(np.float64) - quantization.zero_point + apart) * quantization.scale
    reals[::7] *= random.choice([1.0, 3.0], reals[::7].shape)  # some beyond what the steps reach
    return reals.astype(np.float32).reshape(len(steps), *graph.tensors[input_].shape[1:]), names


def _reals(tensor: Tensor, samples: int, seed: int) -> tuple[NDArray[Any], list[str]]:
    """Inputs of floats in no steps: a few patterns, and random ones of several sizes."""
    size = tensor.size
    named = {"all 0": np.zeros(size), "all 1": np.ones(size), "ramp": np.linspace(-1, 1, size)}
    random = np.random.default_rng(seed)
    for index in range(samples):
        named[f"random {index}"] = random.normal(size=size) / _SPREADS[index % len(_SPREADS)]
    values = np.array(list(named.values())).astype(np.float32)
    return values.reshape(-1, *row_shape(tensor.shape)), list(named)


def probes(tensor: Tensor, samples: int, seed: int) -> tuple[NDArray[Any], list[str]]:
    """Inputs [n, *shape without batch] and their names: patterns at the edges, then `samples` random ones."""
    shape = row_shape(tensor.shape)
    size = int(np.prod(shape, dtype=np.int64))
    info = np.iinfo(tensor.dtype) if tensor.dtype != "bool" else None
    low, high = (int(info.min), int(info.max)) if info is not None else (0, 1)
    zero = tensor.quantization.zero_point if tensor.quantization is not None else 0
    position = np.arange(size)
    ramp = low + position * (high - low) // max(1, size - 1)
    named = {
        "all lowest": np.full(size, low),
        "all highest": np.full(size, high),
        "all zero point": np.full(size, zero),
        "ramp": ramp,
        "ramp down": ramp[::-1],
        "saw": low + position % (high - low + 1),
        "lowest and highest in turn": np.where(position % 2 == 0, low, high),
        "first half highest": np.where(position < size // 2, high, low),
    }
    for place in sorted({size * step // _ONE_HOT for step in range(_ONE_HOT)} | {size - 1}):
        one_hot = np.full(size, zero)
        one_hot[place] = high
        named[f"zero point but value {place}"] = one_hot
    random = np.random.default_rng(seed)
    for index in range(samples):
        spread = _SPREADS[index % len(_SPREADS)]
        values = random.integers(low, high, size, endpoint=True)
        named[f"random {index}"] = np.clip(zero + (values - zero) // spread, low, high)
    return np.array(list(named.values())).astype(tensor.dtype).reshape(-1, *shape), list(named)


def _probes_of(graph: Graph, input_: int, samples: int, seed: int) -> tuple[NDArray[Any], list[str]]:
    tensor = graph.tensors[input_]
    if tensor.dtype == "float32":
        return float_probes(graph, input_, samples, seed)
    return probes(tensor, samples, seed)


def packed_probes(graph: Graph, samples: int, seed: int) -> tuple[NDArray[Any], list[str]]:
    """The same for several inputs at once: packed rows. Random ones are independent, patterns in turn."""
    each = [_probes_of(graph, index, samples, seed + place) for place, index in enumerate(graph.inputs)]
    names = max((names for _, names in each), key=len)
    fixed = len(names) - samples
    rows = []
    for row in range(len(names)):
        values = []
        for place, (made, own) in enumerate(each):
            count = len(own) - samples
            values.append(made[(row + place) % count if row < fixed else count + row - fixed])
        rows.append(pack(values))
    return np.stack(rows), names


@dataclass(frozen=True)
class Inputs:
    """What a model is run on, and the reference's outputs. All [n, ...]."""

    values: NDArray[Any]
    names: list[str]
    expected: NDArray[Any]


def make_inputs(
    reference: ReferenceInterpreter, graph: Graph, samples: int, seed: int, *, sequence: bool = False
) -> Inputs:
    """The patterns, `samples` random inputs and as many on boundaries.

    sequence: a streaming model keeps its state from one input to the next; nothing is bisected then, nor
    where inputs are float.
    """
    most = MOST_VALUES // max(graph.input_bytes, graph.output_bytes, 64)
    if samples > most:
        raise UserError(
            f"--samples {samples} is more than fits into memory; up to {most} inputs of this model do",
            remedy="Another --seed gives other inputs.",
        )
    if len(graph.inputs) == 1:
        inputs, names = _probes_of(graph, graph.inputs[0], samples, seed)
    else:
        inputs, names = packed_probes(graph, samples, seed)
    if sequence:
        return Inputs(inputs, names, reference.run(inputs, sequence=True))
    expected = _reference(reference, inputs)
    if not graph.one_ended or graph.input.dtype == "float32":
        return Inputs(inputs, names, expected)
    more = on_boundaries(reference, inputs, expected, samples, seed)
    if len(more):
        inputs = np.concatenate([inputs, more])
        names += [f"boundary {index}" for index in range(len(more))]
        expected = np.concatenate([expected, _reference(reference, more)])
    return Inputs(inputs, names, expected)


def verify(
    engine: Engine, inputs: Inputs, graph: Graph, *, sequence: bool = False
) -> dict[str, Verification]:
    """Compares every value of every output; by what each is called."""
    found = run_all(engine, graph, inputs.values, sequence=sequence)
    if len(graph.outputs) == 1:
        return {"output": compare(inputs.expected, found, inputs.names)}
    ends = [graph.tensors[index] for index in graph.outputs]
    kinds = [(tensor.shape, np.dtype(tensor.dtype)) for tensor in ends]
    both = zip(unpack(inputs.expected, kinds), unpack(found, kinds), strict=True)
    return {
        f"output {place} {tensor.name}".rstrip(): compare(wanted, given, inputs.names)
        for place, (tensor, (wanted, given)) in enumerate(zip(ends, both, strict=True))
    }


def on_boundaries(
    reference: ReferenceInterpreter, inputs: NDArray[Any], outputs: NDArray[Any], count: int, seed: int
) -> NDArray[Any]:
    """Up to `count` inputs where the model is undecided: bisected between pairs of inputs it tells apart.

    There a softmax is not saturated, so that a difference in an earlier layer is seen, and would matter.
    """
    flat = outputs.reshape(len(outputs), -1).astype(np.int64)
    pairs = np.random.default_rng(seed).integers(0, len(inputs), (4 * count, 2))
    first, second = flat[pairs[:, 0]], flat[pairs[:, 1]]
    apart = (first != second).any(axis=1) & ~_side(second, first, second)
    pairs = pairs[apart][: -(-count // 2)]
    near, far = inputs[pairs[:, 0]].astype(np.int64), inputs[pairs[:, 1]].astype(np.int64)
    near_output, far_output = flat[pairs[:, 0]], flat[pairs[:, 1]]
    for _ in range(_BISECTIONS if len(pairs) else 0):
        middle = (near + far) // 2
        found = _reference(reference, middle.astype(inputs.dtype)).reshape(len(middle), -1).astype(np.int64)
        same = _side(found, near_output, far_output)
        near[same], near_output[same] = middle[same], found[same]
        far[~same], far_output[~same] = middle[~same], found[~same]
    return np.concatenate([near, far]).astype(inputs.dtype)[:count]


def _side(outputs: NDArray[Any], near: NDArray[Any], far: NDArray[Any]) -> NDArray[np.bool_]:
    """Of each row of `outputs`: is it more like `near` than `far`? All [n, outputs]."""
    if outputs.shape[1] > 1:
        return np.asarray(outputs.argmax(axis=1) == near.argmax(axis=1))
    return np.asarray(np.abs(outputs - near) < np.abs(outputs - far))[:, 0]


def _reference(reference: ReferenceInterpreter, inputs: NDArray[Any]) -> NDArray[Any]:
    """The interpreter's outputs, in blocks so that progress is seen."""
    blocks = [inputs[start : start + _BLOCK] for start in range(0, len(inputs), _BLOCK)]
    return np.concatenate(
        [reference.run(block) for block in progress(blocks, len(blocks), "reference, blocks")]
    )


def compare(expected: NDArray[Any], found: NDArray[Any], names: list[str]) -> Verification:
    """Both [n, ...] of one type; floats are compared bit by bit."""
    expected = expected.reshape(found.shape)
    wide = np.float64 if found.dtype.kind == "f" else np.int64
    differences = np.abs(expected.astype(wide) - found.astype(wide))
    if found.dtype.kind == "f":
        bits = np.dtype(f"u{found.dtype.itemsize}")
        differences[(expected.view(bits) != found.view(bits)) & (differences == 0)] = np.finfo(
            np.float64
        ).tiny
    first = None
    if differences.any():
        at = tuple(int(index) for index in np.argwhere(differences)[0])
        first = Difference(at[0], names[at[0]], at[1:], expected[at].item(), found[at].item())
    return Verification(
        inputs=len(found),
        compared=int(found.size),
        differing=int(np.count_nonzero(differences)),
        largest=differences.max(initial=0).item(),
        distinct=len(np.unique(expected)),
        first=first,
    )
