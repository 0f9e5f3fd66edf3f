# SPDX-License-Identifier: Apache-2.0
"""Random graphs of every family of operators: tensors read more than once, parted, joined and reshaped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from tests.models.builder import ACTIVATIONS, PADDINGS, Builder

T = TypeVar("T")

NONE = {"fusedActivationFunction": ACTIVATIONS["none"]}
MOST_VALUES = 2500  # of a tensor


@dataclass(frozen=True)
class Picture:
    """A tensor [1, *shape]: rows, columns, channels."""

    index: int
    shape: tuple[int, int, int]
    scale: float
    zero_point: int

    def quantized_like(self, other: Picture) -> bool:
        """The same bytes stand for the same values."""
        return (self.scale, self.zero_point) == (other.scale, other.zero_point)


class Graphs(Builder):
    """Layers that mostly read the newest tensor, sometimes any older one, the model's input included.

    A layer that would make too large a tensor, or whose source is too small for it, is None.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = np.random.default_rng(seed)
        shape = (self.one_of(1, 2, 5), self.between(1, 12), self.one_of(1, 2, 5, 8, 12))
        self.made: list[Picture] = []
        self.made.append(self.picture(shape, 0.1, self.zero_point()))

    def network(self, layers: int) -> Self:
        """That many layers, the newest tensor their end."""
        kinds: list[Callable[[Picture], Picture | None]] = [self.split, self.join, self.pad, self.slice]
        kinds += [self.transpose, self.reshape, self.resize, self.pool, self.of_two, self.of_two]
        kinds += [self.share, self.function, self.mean, self.dense, self.conv, self.conv, self.depthwise]
        kinds += [self.bottleneck, self.bottleneck]
        while layers > 0:
            source = self.made[-1] if self.between(0, 4) else self.any_of(self.made)
            made = self.any_of(kinds)(source)
            if made is not None:
                self.made.append(made)
                layers -= 1
        return self.ends([self.made[0].index], [self.made[-1].index])

    # --- means ---

    def between(self, low: int, high: int) -> int:
        """Any number from `low` to `high`, both included."""
        return int(self.random.integers(low, high + 1))

    def one_of(self, *values: int) -> int:
        """Any of them."""
        return int(self.random.choice(values))

    def any_of(self, things: Sequence[T]) -> T:
        """Any of them."""
        return things[self.between(0, len(things) - 1)]

    def zero_point(self) -> int:
        """At the lower rail, zero, or somewhere between."""
        return self.one_of(-128, self.between(-60, 60), 0)

    def ints(self, values: Any) -> int:
        """A constant of the operator's own numbers."""
        return self.constant(np.array(values, np.int32))

    def picture(self, shape: Sequence[int], scale: float, zero_point: int) -> Picture:
        """A new tensor."""
        rows, columns, depth = (int(size) for size in shape)
        scale = float(np.float32(scale))
        index = self.tensor((1, rows, columns, depth), "int8", scale, zero_point)
        return Picture(index, (rows, columns, depth), scale, zero_point)

    def like(self, source: Picture, shape: Sequence[int]) -> Picture:
        """A new tensor of the same scale and zero point."""
        return self.picture(shape, source.scale, source.zero_point)

    def weights(self, shape: Sequence[int]) -> NDArray[np.int8]:
        """Of -127 .. 127, of every second tensor -128 too."""
        return self.random.integers(-127 - self.between(0, 1), 128, shape, np.int8)

    def bias(self, outputs: int) -> NDArray[np.int32]:
        """One an output."""
        return self.random.integers(-500, 501, outputs).astype(np.int32)

    def activation(self) -> dict[str, int]:
        """Most often none."""
        name = self.any_of(("none", "none", "relu", "relu6"))
        return {"fusedActivationFunction": ACTIVATIONS[name]}

    # --- layers that move values ---

    def split(self, source: Picture) -> Picture | None:
        """SPLIT_V of the columns; later layers may read both parts."""
        rows, columns, depth = source.shape
        if columns < 2:
            return None
        first = self.between(1, columns - 1)
        sizes = [first, columns - first]
        parts = [self.like(source, (rows, size, depth)) for size in sizes]
        inputs = [source.index, self.ints(sizes), self.ints([2])]
        self.operator("SPLIT_V", inputs, [part.index for part in parts], {"numSplits": 2})
        self.made.append(parts[0])
        return parts[1]

    def join(self, source: Picture) -> Picture | None:
        """CONCATENATION of one to three tensors, the same one more than once where none else fits."""
        rows, columns, _ = source.shape
        fit = [other for other in self.made if other.shape[:2] == (rows, columns)]
        fit = [other for other in fit if other.quantized_like(source)]
        parts = [self.any_of(fit) for _ in range(self.between(1, 3))]
        depth = sum(part.shape[2] for part in parts)
        if rows * columns * depth > MOST_VALUES:
            return None
        y = self.like(source, (rows, columns, depth))
        options = {"axis": self.one_of(3, -1), **NONE}
        self.operator("CONCATENATION", [part.index for part in parts], [y.index], options)
        return y

    def pad(self, source: Picture) -> Picture | None:
        """PAD of every axis."""
        widths = self.random.integers(0, 3, (3, 2))
        shape = np.array(source.shape) + widths.sum(axis=1)
        if shape.prod() > MOST_VALUES:
            return None
        y = self.like(source, shape)
        self.operator("PAD", [source.index, self.ints([[0, 0], *widths])], [y.index], {})
        return y

    def slice(self, source: Picture) -> Picture:
        """SLICE along every axis."""
        begin = [self.between(0, size // 3) for size in source.shape]
        end = [self.between(-(-size // 2), size) for size in source.shape]
        shape = [last - first for first, last in zip(begin, end, strict=True)]
        y = self.like(source, shape)
        self.operator("SLICE", [source.index, self.ints([0, *begin]), self.ints([1, *shape])], [y.index], {})
        return y

    def transpose(self, source: Picture) -> Picture:
        """TRANSPOSE, sometimes of nothing."""
        order = [int(axis) for axis in self.random.permutation(3)]
        y = self.like(source, [source.shape[axis] for axis in order])
        axes = self.ints([0, *(axis + 1 for axis in order)])
        self.operator("TRANSPOSE", [source.index, axes], [y.index], {})
        return y

    def reshape(self, source: Picture) -> Picture:
        """RESHAPE to one row or one column."""
        size = int(np.prod(source.shape))
        count = self.any_of([n for n in range(1, size + 1) if size % n == 0][:6])
        y = self.like(source, self.any_of(((count, 1, size // count), (1, count, size // count))))
        self.operator("RESHAPE", [source.index, self.ints([1, *y.shape])], [y.index])
        return y

    def resize(self, source: Picture) -> Picture | None:
        """RESIZE_NEAREST_NEIGHBOR."""
        sizes = [self.between(2, 6), self.between(3, 9)]
        if sizes[0] * sizes[1] * source.shape[2] > MOST_VALUES:
            return None
        y = self.like(source, (*sizes, source.shape[2]))
        options = {"alignCorners": False, "halfPixelCenters": bool(self.between(0, 1))}
        self.operator("RESIZE_NEAREST_NEIGHBOR", [source.index, self.ints(sizes)], [y.index], options)
        return y

    # --- layers that compute ---

    def pool(self, source: Picture) -> Picture:
        """AVERAGE_POOL_2D or MAX_POOL_2D."""
        rows, columns, depth = source.shape
        kernel = self.between(1, min(3, rows)), self.between(1, min(4, columns))
        stride = self.one_of(1, 1, 2)
        y = self.like(source, (-(-rows // stride), -(-columns // stride), depth))
        options = {"padding": PADDINGS["same"], "strideH": stride, "strideW": stride}
        options |= {"filterHeight": kernel[0], "filterWidth": kernel[1], **NONE}
        self.operator(self.any_of(("AVERAGE_POOL_2D", "MAX_POOL_2D")), [source.index], [y.index], options)
        return y

    def other_operand(self, source: Picture) -> Picture:
        """Another tensor of the same shape, or a constant that is spread along some axes."""
        alike = [other for other in self.made if other.shape == source.shape and other != source]
        if alike and self.between(0, 1):
            return self.any_of(alike)
        rows, columns, depth = (self.one_of(1, size) for size in source.shape)
        values = self.random.integers(-128, 128, (1, rows, columns, depth), np.int8)
        index = self.constant(values, source.scale, source.zero_point)
        return replace(source, index=index, shape=(rows, columns, depth))

    def of_two(self, source: Picture) -> Picture:
        """ADD, SUB, MUL, or where both operands have one scale, MAXIMUM or MINIMUM."""
        other = self.other_operand(source)
        ops = ["ADD", "SUB", "MUL", *(["MAXIMUM", "MINIMUM"] if other.quantized_like(source) else [])]
        op = self.any_of(ops)
        if op in ("MAXIMUM", "MINIMUM"):
            y = self.like(source, source.shape)
        else:
            scale = 60 * source.scale * other.scale if op == "MUL" else 1.2 * max(source.scale, other.scale)
            y = self.picture(source.shape, scale, self.zero_point())
        inputs = [source.index, other.index] if self.between(0, 1) else [other.index, source.index]
        self.operator(op, inputs, [y.index], {} if op in ("MAXIMUM", "MINIMUM") else NONE)
        return y

    def share(self, source: Picture) -> Picture:
        """SOFTMAX or LOGISTIC: values of 0 .. 1."""
        y = self.picture(source.shape, 1 / 256, -128)
        if self.between(0, 1):
            self.operator("SOFTMAX", [source.index], [y.index], {"beta": 1.0})
        else:
            self.operator("LOGISTIC", [source.index], [y.index])
        return y

    def function(self, source: Picture) -> Picture:
        """RELU, HARD_SWISH or QUANTIZE, often to another scale."""
        scale = source.scale * float(self.random.choice([0.7, 1.0, 1.7]))
        y = self.picture(source.shape, scale, self.zero_point())
        self.operator(self.any_of(("RELU", "HARD_SWISH", "QUANTIZE")), [source.index], [y.index])
        return y

    def mean(self, source: Picture) -> Picture:
        """MEAN over one or two axes, which stay with size 1."""
        axes = sorted({self.between(1, 3), self.between(1, 3)})
        shape = [1 if axis in axes else size for axis, size in enumerate(source.shape, 1)]
        y = self.picture(shape, 0.6 * source.scale, self.zero_point())
        self.operator("MEAN", [source.index, self.ints(axes)], [y.index], {"keepDims": True})
        return y

    def dense(self, source: Picture) -> Picture | None:
        """FULLY_CONNECTED of every position."""
        rows, columns, depth = source.shape
        outputs = self.one_of(1, 3, 4, 6, 8)
        if rows * columns * outputs > MOST_VALUES:
            return None
        w = self.constant(self.weights((outputs, depth)), 0.01)
        b = self.constant(self.bias(outputs), 0.01 * source.scale)
        y = self.picture((rows, columns, outputs), source.scale * np.sqrt(depth), self.zero_point())
        options = {"keepNumDims": True, **self.activation()}
        self.operator("FULLY_CONNECTED", [source.index, w, b], [y.index], options)
        return y

    def conv(self, source: Picture) -> Picture | None:
        """CONV_2D, half of them 1 x 1."""
        kernel = (1, 1) if self.between(0, 1) else self.kernel()
        return self.convolution("CONV_2D", source, self.one_of(1, 4, 7, 8, 16, 24), kernel)

    def bottleneck(self, source: Picture) -> Picture | None:
        """CONV_2D of 1 x 1 to fewer channels and back, which may end where a larger tensor lay."""
        depth = source.shape[2]
        narrow = self.convolution("CONV_2D", source, -(-depth // self.between(2, 4)), (1, 1))
        if narrow is None:
            return None
        self.made.append(narrow)
        return self.convolution("CONV_2D", narrow, depth, self.any_of(((1, 1), self.kernel())))

    def depthwise(self, source: Picture) -> Picture | None:
        """DEPTHWISE_CONV_2D."""
        outputs = source.shape[2] * self.between(1, 2)
        return self.convolution("DEPTHWISE_CONV_2D", source, outputs, self.kernel())

    def kernel(self) -> tuple[int, int]:
        """Taps of a convolution."""
        return self.between(1, 3), self.between(1, 3)

    def convolution(self, op: str, source: Picture, outputs: int, kernel: tuple[int, int]) -> Picture | None:
        """Either of them: of stride 2, or dilated, or neither; VALID where that fits."""
        rows, columns, depth = source.shape
        if rows * columns * outputs > MOST_VALUES:
            return None
        stride = self.one_of(1, 1, 1, 2)
        dilation = self.one_of(1, 1, 2) if stride == 1 else 1
        spans = [(taps - 1) * dilation + 1 for taps in kernel]
        same = self.between(0, 2) > 0 or spans[0] > rows or spans[1] > columns
        left = [0 if same else span - 1 for span in spans]
        shape = (-(-(rows - left[0]) // stride), -(-(columns - left[1]) // stride), outputs)
        depthwise = op == "DEPTHWISE_CONV_2D"
        weights = self.weights((1, *kernel, outputs) if depthwise else (outputs, *kernel, depth))
        w = self.constant(weights, [0.01] * outputs, axis=3 if depthwise else 0)
        b = self.constant(self.bias(outputs), [0.01 * source.scale] * outputs)
        products = kernel[0] * kernel[1] * (1 if depthwise else depth)
        y = self.picture(shape, 0.7 * source.scale * np.sqrt(products), self.zero_point())
        options = {"padding": PADDINGS["same" if same else "valid"], "strideH": stride, "strideW": stride}
        options |= {"dilationHFactor": dilation, "dilationWFactor": dilation, **self.activation()}
        if depthwise:
            options["depthMultiplier"] = outputs // depth
        self.operator(op, [source.index, w, b], [y.index], options)
        return y
