# SPDX-License-Identifier: Apache-2.0
"""A picture walked line by line, as the depthwise kernels do."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.ops.conv_2d import Axis


@dataclass(frozen=True)
class Lines:
    """The picture of a depthwise_3x3. along: the axis of a line; across: from line to line."""

    across: Axis
    along: Axis
    depth: int
    along_rows: bool  # a line is a row of the picture
    several: int = 1  # output channels an input channel

    @classmethod
    def best(cls, rows: Axis, columns: Axis, depth: int) -> Lines | None:
        """The way with fewer pairs of outputs; None where the kernel does not fit."""
        if any((axis.kernel, axis.dilation) != (3, 1) for axis in (rows, columns)):
            return None
        ways = [cls(rows, columns, depth, True), cls(columns, rows, depth, False)]
        ways = [way for way in ways if way.along.stride <= 2]
        return min(ways, key=lambda way: way.across.count * way.pairs, default=None)

    @property
    def pairs(self) -> int:
        """Of outputs in a line."""
        return -(-self.along.count // 2)

    @property
    def scratch(self) -> int:
        """Bytes of four channels' strips."""
        return 48 * (self.pairs * self.along.stride + 1)

    def fields(self) -> list[tuple[str, str]]:
        """Geometry of a depthwise_3x3_t."""
        across, along, depth, made = self.across, self.along, self.depth, self.depth * self.several
        line, point = (along.size * depth, depth) if self.along_rows else (depth, across.size * depth)
        made_line, made_point = (along.count * made, made) if self.along_rows else (made, across.count * made)
        return [
            ("lines", str(across.size)),
            ("points", str(along.size)),
            ("line_step", str(line)),
            ("point_step", str(point)),
            ("made_lines", str(across.count)),
            ("made_points", str(along.count)),
            ("made_line_step", str(made_line)),
            ("made_point_step", str(made_point)),
            ("line_stride", str(across.stride)),
            ("lines_before", str(across.before)),
            ("points_before", str(along.before)),
        ]


@dataclass(frozen=True)
class AnyLines(Lines):
    """The picture of a depthwise_lines."""

    @classmethod
    def quickest(cls, rows: Axis, columns: Axis, depth: int, several: int) -> AnyLines | None:
        """The way with less work; None where the kernel does not fit."""
        if any(axis.stride > 1 and axis.dilation > 1 for axis in (rows, columns)):
            return None
        ways = (cls(rows, columns, depth, True, several), cls(columns, rows, depth, False, several))
        return min(ways, key=lambda way: way.work)

    @property
    def runs(self) -> int:
        """Taps of a line are parted into as many as the stride, those of all lines into these."""
        return self.across.kernel * self.along.stride

    @property
    def steps(self) -> int:
        """Pairs of words of a run."""
        return -(-self.along.kernel // self.along.stride) // 2 + 1

    @property
    def fours(self) -> int:
        """Of outputs in a line."""
        return -(-self.along.count // self.along.dilation // 4)

    @property
    def pitch(self) -> int:
        """Words of a run of a line."""
        return 2 * self.fours + self.steps - 1

    @property
    def scratch(self) -> int:
        """Bytes: what four channels finish with, their weights, their lines."""
        return 64 + self.runs * (32 * self.steps + 16 * self.pitch)

    @property
    def work(self) -> int:
        """Instructions, about."""
        widened = self.across.size * self.along.dilation * self.along.stride * (60 + 16 * self.pitch)
        dot = self.runs * (10 + 7 * self.steps)
        made = self.across.count * self.along.dilation * 4 * (50 + self.fours * (40 + dot))
        return -(-self.depth // 4) * (100 + 30 * self.runs * self.steps + widened + made)

    def fields(self) -> list[tuple[str, str]]:
        """Geometry of a depthwise_lines_t."""
        across, along = self.across, self.along
        return [
            *super().fields(),
            ("made_step", str(self.several)),
            ("line_taps", str(across.kernel)),
            ("taps", str(along.kernel)),
            ("stride", str(along.stride)),
            ("line_dilation", str(across.dilation)),
            ("dilation", str(along.dilation)),
            ("steps", str(self.steps)),
            ("pitch", str(self.pitch)),
        ]
