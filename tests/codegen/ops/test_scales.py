# SPDX-License-Identifier: Apache-2.0
"""Any scales and zero points, as damaged files have them: a message, or the reference's bits."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError
from codegen.model.graph import Graph
from codegen.passes.legalise import load_graph
from tests.models.builder import ACTIVATIONS, PADDINGS, Builder
from tests.support.models_c import ModelsC
from tests.support.tally import tally_count
from workbench.verify.reference import NoReferenceError, ReferenceInterpreter

MODELS = 400 * int(os.environ.get("EARSHOT_EXAMPLES", "1"))
SHAPE = (1, 4, 4, 2)
UNARY = (
    "RELU",
    "RELU6",
    "RELU_N1_TO_1",
    "LEAKY_RELU",
    "HARD_SWISH",
    "LOGISTIC",
    "TANH",
    "QUANTIZE",
    "ABS",
    "EXP",
    "GELU",
    "RSQRT",
    "SQRT",
)
POSITIVE = ("RSQRT", "SQRT")  # functions of numbers that are not negative
PAIRS = ("ADD", "SUB", "MUL", "PRELU", "SQUARED_DIFFERENCE")


class Scales:
    """Scales around one that is anything a float32 holds; one model in two keeps to what models have."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.middle, self.spread = (
            (-6.0, 30.0) if random.random() < 0.5 else (random.uniform(-140, 120), 60.0)
        )

    def __call__(self) -> float:
        power = np.clip(self.middle + self.random.uniform(-1, 1) * self.spread, -149, 127.9)
        return float(np.float32(2.0**power))

    def zero(self) -> int:
        return int(self.random.choice(np.array([-128, 0, 127, int(self.random.integers(-128, 128))])))


def random_model(random: np.random.Generator) -> Builder:
    """One operator on int8, of any scales."""
    scale = Scales(random)
    op = str(random.choice(np.array([*UNARY, *PAIRS, *MAKERS])))
    model = Builder()
    x = model.tensor(SHAPE, "int8", scale(), -128 if op in POSITIVE else scale.zero())
    made = {**dict.fromkeys(UNARY, _unary), **dict.fromkeys(PAIRS, _pair)}.get(op) or MAKERS[op]
    return model.ends([x], [made(model, op, x, scale)])


def _output(model: Builder, scale: Scales, shape: tuple[int, ...] = SHAPE) -> int:
    return model.tensor(shape, "int8", scale(), scale.zero())


def _fused(scale: Scales) -> dict[str, int]:
    names = ("none", "relu", "relu6", "relu_n1_to_1")
    return {"fusedActivationFunction": ACTIVATIONS[str(scale.random.choice(np.array(names)))]}


def _unary(model: Builder, op: str, x: int, scale: Scales) -> int:
    fixed = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}.get(op)
    y = model.tensor(SHAPE, "int8", *fixed) if fixed else _output(model, scale)
    options: dict[str, float] | None = None
    if op == "LEAKY_RELU":
        options = {"alpha": scale() * float(scale.random.choice([-1, 1]))}
    elif op == "GELU":
        options = {"approximate": bool(scale.random.integers(2))}
    model.operator(op, [x], [y], options)
    return y


def _pair(model: Builder, op: str, x: int, scale: Scales) -> int:
    other = scale.random.integers(-128, 128, (1, 1, 1, 2)).astype(np.int8)
    y = _output(model, scale)
    options = None if op in ("PRELU", "SQUARED_DIFFERENCE") else _fused(scale)
    model.operator(op, [x, model.constant(other, scale(), scale.zero())], [y], options)
    return y


def _product(model: Builder, op: str, x: int, scale: Scales) -> int:
    other = scale.random.integers(-128, 128, (1, 4, 2, 3)).astype(np.int8)
    y = _output(model, scale, (1, 4, 4, 3))
    operands = [x, model.constant(other, scale(), scale.zero())]
    model.operator(op, operands, [y], {"adjX": False, "adjY": False})
    return y


def _weighted(model: Builder, op: str, x: int, scale: Scales) -> int:
    dense, count = op == "FULLY_CONNECTED", 2
    shape = {"CONV_2D": (count, 2, 2, 2), "DEPTHWISE_CONV_2D": (1, 2, 2, count)}.get(op, (count, 32))
    weights = scale.random.integers(-127, 128, shape).astype(np.int8)
    scales = [scale() for _ in range(count)] if scale.random.random() < 0.5 else scale()
    axis = 3 if op == "DEPTHWISE_CONV_2D" else 0
    bias = scale.random.integers(-5000, 5000, count).astype(np.int32)
    y = _output(model, scale, (1, count) if dense else (1, 3, 3, count))
    options: dict[str, int] = _fused(scale)
    if not dense:
        options |= {"padding": PADDINGS["valid"], "strideW": 1, "strideH": 1}
    if op == "DEPTHWISE_CONV_2D":
        options |= {"depthMultiplier": 1}
    model.operator(op, [x, model.constant(weights, scales, axis=axis), model.constant(bias)], [y], options)
    return y


def _mean(model: Builder, op: str, x: int, scale: Scales) -> int:
    y = _output(model, scale, (1, 2))
    model.operator(op, [x, model.constant(np.array([1, 2], np.int32))], [y], {"keepDims": False})
    return y


def _softmax(model: Builder, op: str, x: int, scale: Scales) -> int:
    y = model.tensor(SHAPE, "int8", 1 / 256, -128)
    model.operator(op, [x], [y], {"beta": float(scale.random.choice([1.0, scale()]))})
    return y


def _pool(model: Builder, op: str, x: int, scale: Scales) -> int:
    kind = model.graph.tensors[x].quantization
    y = model.tensor((1, 2, 2, 2), "int8", float(kind.scale[0]), int(kind.zeroPoint[0]))
    options = {"padding": PADDINGS["valid"], "strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 2}
    op = str(scale.random.choice(np.array(["AVERAGE_POOL_2D", "MAX_POOL_2D"])))
    model.operator(op, [x], [y], options | _fused(scale))
    return y


MAKERS: dict[str, Callable[[Builder, str, int, Scales], int]] = {
    "CONV_2D": _weighted,
    "DEPTHWISE_CONV_2D": _weighted,
    "FULLY_CONNECTED": _weighted,
    "MEAN": _mean,
    "BATCH_MATMUL": _product,
    "SOFTMAX": _softmax,
    "POOL": _pool,
}


class Reference:
    """The interpreter, which may refuse a model."""

    def __init__(self) -> None:
        self.reference: ReferenceInterpreter | None = None

    def __call__(self, path: Path, inputs: NDArray[np.int8]) -> NDArray[np.int8] | None:
        """The outputs, or None."""
        try:
            if self.reference is None:
                self.reference = ReferenceInterpreter(path)
            else:
                self.reference.load(path)
            return np.asarray(self.reference.run(inputs))
        except NoReferenceError as error:
            if "refuses" not in str(error):
                raise  # it died of a model that we take
            return None


def test_any_scales(tmp_path: Path) -> None:
    """Refused with a message, or every output value is the reference's; the sanitizers see no overflow."""
    random = np.random.default_rng(int(os.environ.get("EARSHOT_SEED", "12")))
    accepted: list[tuple[Path, Graph]] = []
    refused = []
    for number in range(MODELS):
        path = tmp_path / f"{number}.tflite"
        path.write_bytes(random_model(random).bytes())
        try:
            accepted.append((path, load_graph(path)))
        except UserError as error:
            refused.append(str(error))
    words = ("makes no sense", "over 128 times", "over 2^19 times", "below 2^-26")
    assert not [text for text in refused if not any(word in text for word in words)]
    rows = [random.integers(-128, 128, (8, *SHAPE[1:])).astype(np.int8) for _ in accepted]
    for block in rows:
        block[0], block[1] = -128, 127
    compared, failed, reference = 0, [], Reference()
    for start in range(0, len(accepted), 60):
        part = accepted[start : start + 60]
        found = ModelsC([graph for _, graph in part]).run(rows[start : start + 60])
        for (path, graph), inputs, outputs in zip(part, rows[start:], found, strict=False):
            wanted = reference(path, inputs)
            if wanted is None:
                continue  # no other runtime runs it either
            compared += 1
            if not np.array_equal(wanted, outputs):
                failed.append((graph.nodes[-1].op, [tensor.quantization for tensor in graph.tensors]))
    assert reference.reference is not None
    reference.reference.close()
    assert not failed, "\n".join(f"{op}: {scales}" for op, scales in failed)
    assert compared > MODELS // 5
    tally_count("models of any scales given to the reader: refused with a message, or exact", MODELS)
