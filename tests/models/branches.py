# SPDX-License-Identifier: Apache-2.0
"""Random networks over a cascade: branches that rejoin, and layers that cannot keep their rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tests.models.builder import ACTIVATIONS, PADDINGS, Builder

MASKS = dict.fromkeys(("beginMask", "endMask", "ellipsisMask", "newAxisMask", "shrinkAxisMask"), 0)


@dataclass(frozen=True)
class Picture:
    """A tensor: rows along time, columns, channels."""

    index: int
    rows: int
    columns: int
    depth: int
    scale: float
    zero_point: int


class Branches(Builder):
    """Layers over pictures, with time along rows, or along columns where `turned`.

    broken: layers that cannot be computed row by row come too
    """

    def __init__(
        self, seed: int, frames: int, cepstra: int, *, turned: bool = False, broken: bool = False
    ) -> None:
        super().__init__()
        self.random = np.random.default_rng(seed)
        self.turned, self.broken = turned, broken
        shape = self.shape(frames, cepstra, 1)
        zero_point = int(self.random.integers(-128, 128))
        self.input = self.tensor(shape, "int8", 0.05, zero_point, name="input")
        self.newest = Picture(self.input, frames, cepstra, 1, 0.05, zero_point)
        self.made: list[str] = []

    def shape(self, rows: int, columns: int, depth: int) -> tuple[int, int, int, int]:
        """As the tensor lies."""
        return (1, columns, rows, depth) if self.turned else (1, rows, columns, depth)

    def pair(self, along: int, across: int) -> tuple[int, int]:
        """Of time and the other axis: of rows and columns."""
        return (across, along) if self.turned else (along, across)

    def picture(self, like: Picture, **changes: float) -> Picture:
        """A new tensor."""
        made = replace(like, index=-1, **changes)  # type: ignore[arg-type]
        shape = self.shape(made.rows, made.columns, made.depth)
        return replace(made, index=self.tensor(shape, "int8", float(made.scale), int(made.zero_point)))

    def zero(self, activation: str) -> int:
        """A zero point that suits the activation."""
        return (
            -128 if activation == "relu" and self.random.integers(4) else int(self.random.integers(-60, 60))
        )

    # --- layers ---

    def conv(self, source: Picture, **fixed: int) -> Picture:
        """CONV_2D or DEPTHWISE_CONV_2D. fixed: along (kernel), dilation, stride (in time), same (padding)."""
        random = self.random
        depthwise = bool(fixed.get("depthwise", random.integers(3) == 0))
        along = fixed.get("along", int(random.integers(1, 4)))
        dilation = fixed.get("dilation", int(random.choice([1, 1, 2, 3])))
        if along == 1 or (along - 1) * dilation + 1 > source.rows - 2:
            along, dilation = fixed.get("along", 1), 1
        across = int(random.integers(1, min(4, source.columns) + 1))
        strides = self.pair(fixed.get("stride", 1), 1 if dilation > 1 else int(random.integers(1, 3)))
        padding = "same" if fixed.get("same") or (along == 1 and random.integers(2)) else "valid"
        activation = str(random.choice(["none", "relu", "relu6"]))
        depth = source.depth * int(random.integers(1, 3)) if depthwise else int(random.integers(1, 9))
        kernel = self.pair(along, across)
        shape = (1, *kernel, depth) if depthwise else (depth, *kernel, source.depth)
        scales = random.uniform(0.004, 0.02, depth).astype(np.float32)
        low = -128 if random.integers(12) == 0 else -127  # not for the stream kernel
        weights = random.integers(low, 128, shape, np.int8)
        weights.flat[0] = low
        bias = random.integers(-3000, 3000, depth).astype(np.int32)
        w = self.constant(weights, scales.tolist(), axis=3 if depthwise else 0)
        b = self.constant(bias, (scales * np.float32(source.scale)).tolist())
        products = along * across * (1 if depthwise else source.depth)
        scale = float(np.float32(source.scale * float(scales.mean()) * 74 * 74 * np.sqrt(products) * 3 / 255))
        spans = self.pair((along - 1) * dilation + 1, across)
        sizes = self.shape(source.rows, source.columns, 1)[1:3]
        if padding == "valid":
            count = [(n - s) // t + 1 for n, s, t in zip(sizes, spans, strides, strict=True)]
        else:
            count = [-(-n // t) for n, t in zip(sizes, strides, strict=True)]
        rows, columns = self.pair(*count)
        zero_point = self.zero(activation)
        made = self.picture(
            source, rows=rows, columns=columns, depth=depth, scale=scale, zero_point=zero_point
        )
        dilations = self.pair(dilation, 1)
        options = {
            "padding": PADDINGS[padding],
            "strideH": strides[0],
            "strideW": strides[1],
            "dilationHFactor": dilations[0],
            "dilationWFactor": dilations[1],
            "fusedActivationFunction": ACTIVATIONS[activation],
        }
        if depthwise:
            options["depthMultiplier"] = depth // source.depth
        op = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        self.operator(op, [source.index, w, b], [made.index], options)
        self.made.append(op)
        return made

    def pool(self, source: Picture) -> Picture:
        """AVERAGE_POOL_2D or MAX_POOL_2D, stride 1 along time."""
        along = int(self.random.integers(1, min(3, source.rows - 1) + 1))
        across = int(self.random.integers(1, min(3, source.columns) + 1))
        kernel, strides = self.pair(along, across), self.pair(1, int(self.random.integers(1, 3)))
        op = str(self.random.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"]))
        columns = (source.columns - across) // self.pair(*strides)[1] + 1
        made = self.picture(source, rows=source.rows - along + 1, columns=columns)
        options = {"padding": PADDINGS["valid"], "strideH": strides[0], "strideW": strides[1]}
        options |= {"filterHeight": kernel[0], "filterWidth": kernel[1]}
        self.operator(op, [source.index], [made.index], {**options, "fusedActivationFunction": 0})
        self.made.append(op)
        return made

    def function(self, source: Picture) -> Picture:
        """A function of one value."""
        op = str(self.random.choice(["LOGISTIC", "TANH", "RELU", "RELU6", "HARD_SWISH", "LEAKY_RELU"]))
        fixed = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
        scale, zero_point = fixed.get(op, (source.scale * 1.1, int(self.random.integers(-40, 40))))
        made = self.picture(source, scale=scale, zero_point=zero_point)
        options = {"LEAKY_RELU": {"alpha": 0.2}, "HARD_SWISH": {}}.get(op)
        self.operator(op, [source.index], [made.index], options)
        self.made.append(op)
        return made

    def normalise(self, source: Picture) -> Picture:
        """MUL and ADD with constants: one a channel, sometimes one a column and channel."""
        for op in ("MUL", "ADD"):
            columns = source.columns if self.random.integers(4) == 0 else 1
            shape = self.shape(1, columns, source.depth)
            values = self.random.integers(-128, 128, shape, np.int8)
            constant = self.constant(values, 0.012 if op == "MUL" else source.scale / 3, 3)
            made = self.picture(
                source, scale=source.scale * 1.1, zero_point=int(self.random.integers(-30, 30))
            )
            self.operator(op, [source.index, constant], [made.index], {"fusedActivationFunction": 0})
            source = made
        self.made.append("MUL, ADD")
        return source

    def crop(self, source: Picture, rows: int) -> Picture:
        """`rows` consecutive rows: the first, the last or some between."""
        if rows == source.rows:
            return source
        start = int(self.random.integers(0, source.rows - rows + 1))
        begin = self.shape(start, 0, 0)
        end = self.shape(start + rows, source.columns, source.depth)
        made = self.picture(source, rows=rows)
        first = np.array([0, *begin[1:]], np.int32)
        if self.random.integers(2):
            places = [self.constant(first), self.constant(np.array(end, np.int32))]
            places.append(self.constant(np.ones(4, np.int32)))
            self.operator("STRIDED_SLICE", [source.index, *places], [made.index], MASKS)
        else:
            size = np.array(self.shape(rows, source.columns, source.depth), np.int32)
            places = [self.constant(first), self.constant(size)]
            self.operator("SLICE", [source.index, *places], [made.index], {})
        self.made.append(f"crop {start} of {source.rows - rows}")
        return made

    def narrow(self, source: Picture, columns: int, depth: int) -> Picture:
        """A convolution along nothing that gives a picture these columns and channels."""
        if (source.columns, source.depth) == (columns, depth):
            return source
        scales = self.random.uniform(0.004, 0.02, depth).astype(np.float32)
        across = source.columns - columns + 1
        kernel = self.pair(1, across)
        w = self.constant(
            self.random.integers(-127, 128, (depth, *kernel, source.depth), np.int8), scales.tolist()
        )
        scale = source.scale * float(scales.mean()) * 74 * 74 * np.sqrt(across * source.depth) * 3 / 255
        made = self.picture(
            source, columns=columns, depth=depth, scale=float(np.float32(scale)), zero_point=self.zero("none")
        )
        options = {"padding": PADDINGS["valid"], "strideH": 1, "strideW": 1}
        options |= {"dilationHFactor": 1, "dilationWFactor": 1, "fusedActivationFunction": 0}
        b = self.constant(np.zeros(depth, np.int32), (scales * np.float32(source.scale)).tolist())
        self.operator("CONV_2D", [source.index, w, b], [made.index], options)
        return made

    def join(self, one: Picture, other: Picture) -> Picture:
        """Two branches become one, the longer cut to the rows of the shorter."""
        rows = min(one.rows, other.rows)
        one, other = self.crop(one, rows), self.crop(other, rows)
        op = str(self.random.choice(["ADD", "SUB", "MUL", "MAXIMUM", "CONCATENATION"]))
        self.made.append(op)
        columns = min(one.columns, other.columns)
        if op == "CONCATENATION":
            one, other = (self.narrow(side, columns, side.depth) for side in (one, other))
            other = self.rescale(other, one)
            made = self.picture(one, depth=one.depth + other.depth)
            options = {"axis": int(self.random.choice([3, -1])), "fusedActivationFunction": 0}
            self.operator(op, [one.index, other.index], [made.index], options)
            return made
        depth = min(one.depth, other.depth)
        one, other = (self.narrow(side, columns, depth) for side in (one, other))
        scale = one.scale + other.scale if op in ("ADD", "SUB") else one.scale * other.scale * 80
        if op == "MAXIMUM":
            other = self.rescale(other, one)
            made = self.picture(one)
            self.operator(op, [one.index, other.index], [made.index], {})
            return made
        made = self.picture(
            one, scale=float(np.float32(scale)), zero_point=int(self.random.integers(-30, 30))
        )
        activation = ACTIVATIONS[str(self.random.choice(["none", "relu"]))]
        self.operator(op, [one.index, other.index], [made.index], {"fusedActivationFunction": activation})
        return made

    def rescale(self, source: Picture, like: Picture) -> Picture:
        """QUANTIZE to another's scale: what is joined has one scale."""
        made = self.picture(source, scale=like.scale, zero_point=like.zero_point)
        self.operator("RELU", [source.index], [made.index])
        return made

    def pad(self, source: Picture) -> Picture:
        """Padding across time."""
        before, after = int(self.random.integers(0, 2)), int(self.random.integers(0, 3))
        paddings = np.zeros((4, 2), np.int32)
        paddings[1 if self.turned else 2] = before, after
        made = self.picture(source, columns=source.columns + before + after)
        self.operator("PAD", [source.index, self.constant(paddings)], [made.index], {})
        self.made.append("PAD")
        return made

    def layer(self, source: Picture) -> Picture:
        """Any layer."""
        if self.broken and self.random.integers(4) == 0 and source.rows > 4:
            return self.conv(
                source, along=2, dilation=1, **({"stride": 2} if self.random.integers(2) else {"same": 1})
            )
        kinds: list[Callable[[Picture], Picture]] = [self.conv, self.conv, self.conv, self.function]
        kinds += [self.normalise, self.pool, self.pad]
        return kinds[int(self.random.integers(len(kinds)))](source)

    def chain(self, source: Picture, length: int) -> Picture:
        """Layers one after the other, while rows are left."""
        for _ in range(length):
            if source.rows > 3 and source.columns * source.depth < 150:
                source = self.layer(source)
        return source

    # --- whole networks ---

    def network(self, path: Path) -> Path:
        """A stem, one or two places where it parts and rejoins, and an end."""
        picture = self.conv(self.newest)
        for _ in range(int(self.random.integers(1, 3))):
            branches = [self.chain(picture, int(self.random.integers(0, 3))) for _ in range(2)]
            if self.random.integers(3) == 0:
                branches.append(self.chain(picture, 1))
            while len(branches) > 1:
                branches.append(self.join(branches.pop(0), branches.pop(0)))
            picture = self.chain(branches[0], int(self.random.integers(0, 2)))
        return self.write(path, [self.input], [self.end(picture)])

    def end(self, picture: Picture) -> int:
        """A dense layer, a mean and a dense layer, or the picture itself."""
        kind = int(self.random.integers(5))
        self.made.append(f"end {kind}")
        if kind == 0:
            return picture.index
        if kind == 1:
            made = self.tensor((1, picture.depth), "int8", picture.scale, picture.zero_point)
            axes = self.constant(np.array([1, 2], np.int32))
            self.operator("MEAN", [picture.index, axes], [made], {"keepDims": False})
            return self.dense(made, picture, picture.depth, 5)
        return self.end_dense(picture)

    def end_dense(self, picture: Picture) -> int:
        """A dense layer that reads all of the picture."""
        size = picture.rows * picture.columns * picture.depth
        flat = self.tensor((1, size), "int8", picture.scale, picture.zero_point)
        self.operator(
            "RESHAPE",
            [picture.index, self.constant(np.array([1, size], np.int32))],
            [flat],
            {"newShape": [1, size]},
        )
        return self.dense(flat, picture, size, 6)

    def dense(self, source: int, picture: Picture, inputs: int, outputs: int) -> int:
        """FULLY_CONNECTED."""
        scales = self.random.uniform(0.002, 0.01, outputs).astype(np.float32)
        w = self.constant(self.random.integers(-127, 128, (outputs, inputs), np.int8), scales.tolist())
        bias = self.random.integers(-2000, 2000, outputs).astype(np.int32)
        b = self.constant(bias, (scales * np.float32(picture.scale)).tolist())
        scale = picture.scale * float(scales.mean()) * 74 * 74 * np.sqrt(inputs) * 3 / 255
        made = self.tensor((1, outputs), "int8", float(np.float32(scale)), int(self.random.integers(-20, 20)))
        options = {"fusedActivationFunction": 0, "weightsFormat": 0, "keepNumDims": False}
        self.operator("FULLY_CONNECTED", [source, w, b], [made], options)
        return made
