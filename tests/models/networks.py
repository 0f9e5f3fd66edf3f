# SPDX-License-Identifier: Apache-2.0
"""Whole networks with random weights, shaped like what converters make of Keras models."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.models.builder import ACTIVATIONS, PADDINGS, Builder


class Network(Builder):
    """Layers one after the other, each with plausible scales. `last`: the newest tensor."""

    def __init__(self, seed: int, shape: tuple[int, ...], scale: float = 1.0, zero_point: int = -128) -> None:
        super().__init__()
        self.random = np.random.default_rng(seed)
        self.shape = shape
        self.scale = scale
        self.input = self.last = self.tensor(
            shape, "int8", scale, zero_point, name="input", signature=(-1, *shape[1:])
        )

    def _next(self, shape: tuple[int, ...], scale: float, zero_point: int, name: str) -> int:
        self.shape, self.scale = shape, scale
        return self.tensor(shape, "int8", scale, zero_point, name=name, signature=(-1, *shape[1:]))

    def _out_scale(self, weight_scale: float, products: int) -> float:
        """Spreads sums of `products` random products over the int8 range."""
        return float(np.float32(self.scale * weight_scale * 74 * 74 * np.sqrt(products) * 3 / 255))

    def conv(
        self, depth: int, kernel: tuple[int, int], activation: str = "relu", padding: str = "valid"
    ) -> None:
        """CONV_2D with per-channel weights and a bias, stride 1."""
        rows, columns, inputs = self.shape[1:]
        scales = self.random.uniform(0.002, 0.01, depth).astype(np.float32)
        weights = self.random.integers(-127, 128, (depth, *kernel, inputs), np.int8)
        bias = self.random.integers(-2000, 2000, depth).astype(np.int32)
        w = self.constant(weights, scales.tolist(), name=f"conv{len(self.graph.operators)}/weights")
        b = self.constant(
            bias, (scales * np.float32(self.scale)).tolist(), name=f"conv{len(self.graph.operators)}/bias"
        )
        shape = (1, rows, columns, depth)
        if padding == "valid":
            shape = (1, rows - kernel[0] + 1, columns - kernel[1] + 1, depth)
        zero_point = -128 if activation == "relu" else int(self.random.integers(-20, 20))
        source = self.last
        out_scale = self._out_scale(float(scales.mean()), kernel[0] * kernel[1] * inputs)
        self.last = self._next(shape, out_scale, zero_point, f"conv{len(self.graph.operators)}/Relu")
        options = {
            "padding": PADDINGS[padding],
            "strideW": 1,
            "strideH": 1,
            "dilationWFactor": 1,
            "dilationHFactor": 1,
            "fusedActivationFunction": ACTIVATIONS[activation],
        }
        self.operator("CONV_2D", [source, w, b], [self.last], options)

    def per_channel(self, op: str) -> None:
        """MUL or ADD of a constant a channel, as a batch normalisation leaves them."""
        depth = self.shape[-1]
        values = self.random.integers(-128, 128, (1, 1, 1, depth), np.int8)
        c = self.constant(
            values, 0.01 if op == "MUL" else self.scale / 3, 5 if op == "MUL" else -7, name=f"bn/{op}"
        )
        source = self.last
        scale = self.scale * (0.9 if op == "MUL" else 1.2)
        self.last = self._next(self.shape, scale, int(self.random.integers(-30, 30)), f"bn/{op.lower()}")
        self.operator(op, [source, c], [self.last], {"fusedActivationFunction": 0})

    def flatten(self, dynamic: bool) -> None:
        """RESHAPE to [1, n]; dynamic: the shape from SHAPE, STRIDED_SLICE, PACK as newer converters do."""
        size = int(np.prod(self.shape[1:]))
        zero_point = int(self.graph.tensors[self.last].quantization.zeroPoint[0])
        source = self.last
        if dynamic:
            shape = self.tensor((4,), "int32", name="flatten/Shape")
            self.operator("SHAPE", [source], [shape], {"outType": 2})
            ends = [self.constant(np.array([value], np.int32)) for value in (0, 1, 1)]
            batch = self.tensor((), "int32", name="flatten/strided_slice")
            masks = {"beginMask": 0, "endMask": 0, "ellipsisMask": 0, "newAxisMask": 0, "shrinkAxisMask": 1}
            self.operator("STRIDED_SLICE", [shape, *ends], [batch], masks)
            new_shape = self.tensor((2,), "int32", name="flatten/Reshape/shape")
            count = self.constant(np.array(size, np.int32))
            self.operator("PACK", [batch, count], [new_shape], {"valuesCount": 2, "axis": 0})
        else:
            new_shape = self.constant(np.array([-1, size], np.int32))
        self.last = self._next((1, size), self.scale, zero_point, "flatten/Reshape")
        self.operator("RESHAPE", [source, new_shape], [self.last], {"newShape": [-1, size]})

    def cumulate(self) -> None:
        """CUMSUM along the last axis, which no converter writes and aot does not compute."""
        zero_point = int(self.graph.tensors[self.last].quantization.zeroPoint[0])
        source = self.last
        self.last = self._next(self.shape, self.scale, zero_point, "cumulated")
        self.operator("CUMSUM", [source, self.constant(np.array(1, np.int32))], [self.last], {})

    def dense(
        self, outputs: int, activation: str = "none", per_channel: bool = True, bias: bool = True
    ) -> None:
        """FULLY_CONNECTED."""
        inputs = self.shape[-1]
        count = outputs if per_channel else 1
        scales = self.random.uniform(0.002, 0.01, count).astype(np.float32)
        weights = self.random.integers(-127, 128, (outputs, inputs), np.int8)
        tensors = [
            self.last,
            self.constant(weights, scales.tolist(), name=f"dense{len(self.graph.operators)}/weights"),
        ]
        if bias:
            values = self.random.integers(-2000, 2000, outputs).astype(np.int32)
            tensors.append(self.constant(values, (scales * np.float32(self.scale)).tolist()))
        else:
            tensors.append(-1)
        zero_point = -128 if activation == "relu" else int(self.random.integers(-20, 20))
        out_scale = self._out_scale(float(scales.mean()), inputs)
        self.last = self._next(
            (1, outputs), out_scale, zero_point, f"dense{len(self.graph.operators)}/BiasAdd"
        )
        options = {
            "fusedActivationFunction": ACTIVATIONS[activation],
            "weightsFormat": 0,
            "keepNumDims": False,
        }
        self.operator("FULLY_CONNECTED", tensors, [self.last], options)

    def softmax(self) -> None:
        """SOFTMAX with beta 1."""
        source = self.last
        self.last = self._next(self.shape, 1 / 256, -128, "softmax")
        self.operator("SOFTMAX", [source], [self.last], {"beta": 1.0})

    def save(self, path: Path) -> Path:
        """The model's file."""
        return self.write(path, [self.input], [self.last])


def tutorial_like(path: Path, seed: int, *, shape: tuple[int, int] = (15, 20), keras3: bool = True) -> Path:
    """The Smart Lock tutorial's network with random weights: int8 [1, *shape, 1] -> int8 [1, 4], 24,580
    parameters.

    keras3: as TensorFlow 2.18 and later convert it (dense layers per channel, Flatten with a computed shape).
    """
    network = Network(seed, (1, *shape, 1))
    network.conv(16, (2, 2))
    network.conv(16, (2, 2))
    network.per_channel("MUL")
    network.per_channel("ADD")
    network.conv(8, (2, 2))
    network.conv(8, (2, 2))
    network.flatten(dynamic=keras3)
    network.dense(16, "relu", per_channel=keras3)
    network.dense(4, per_channel=keras3)
    network.softmax()
    return network.save(path)


def dense_only(path: Path, seed: int, inputs: int = 10, outputs: int = 3) -> Path:
    """Two dense layers and a softmax."""
    network = Network(seed, (1, inputs), 0.1, 3)
    network.dense(7, "relu", per_channel=False)
    network.dense(outputs, bias=False)
    network.softmax()
    return network.save(path)


def beside_halves(path: Path) -> Path:
    """One dense layer, its sums beside halves: LiteRT rounds sums once, TensorFlow Lite Micro twice."""
    model = Builder()
    x = model.tensor((1, 2), "int8", 0.5, 0)
    w = model.constant(np.array([[127, 1]], np.int8), 0.25)
    y = model.tensor((1, 1), "int8", float(np.float32(0.125 / 0.0047)), 0)
    model.operator("FULLY_CONNECTED", [x, w, -1], [y], {"fusedActivationFunction": 0})
    return model.write(path, [x], [y])
