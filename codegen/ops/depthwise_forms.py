# SPDX-License-Identifier: Apache-2.0
"""The kernels that compute a depthwise convolution, by its windows and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from codegen.kernels import channels
from codegen.kernels.layer import Array
from codegen.kernels.packing import depthwise as packed
from codegen.kernels.requantize import activation_range, channel_multipliers, quantization
from codegen.model.graph import Node
from codegen.ops.checks import weighted_tensors
from codegen.ops.conv_2d import Axis
from codegen.ops.depthwise_lines import AnyLines, Lines

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

CODE = 10_000  # instructions that a layer saves at least with depthwise_lines, whose code is 700 bytes more


@dataclass(frozen=True, eq=False)
class Form:
    """A call that computes the layer, or some of its channels. work: instructions, about"""

    type: str
    fields: list[tuple[str, str]]
    arrays: Sequence[Array]
    form: str = ""
    in_place: bool = False
    scratch: int = 0
    work: int = 0


class Depthwise:
    """A layer in the forms of its kernels.

    None where the windows do not fit the kernel; NotExactError where the numbers do not.
    """

    def __init__(self, lowering: Lowering, node: Node, rows: Axis, columns: Axis) -> None:
        self.input, self.weights, self.bias, self.output = weighted_tensors(lowering.graph, node)
        assert self.weights.data is not None
        self.values = self.weights.data[0].astype(np.int64)  # [rows, columns, channels]
        self.depth = self.input.shape[3]
        self.several = int(self.values.shape[2]) // self.depth  # channels of one
        self.rows, self.columns = rows, columns
        self.zero_point = quantization(self.input).zero_point
        self.limits = activation_range(self.output, node.options["fused_activation_function"])
        self.part = "part" in node.options

    def quickest(self) -> Sequence[Form]:
        """The calls that take the least work; none where that is the kernel of any layer."""
        three = self.three_by_three()
        if three is not None:
            return [three]
        window, lines = self.window(), self.lines()
        if window and (not lines or _work(window) < _work(lines) + CODE):
            return window
        return lines if _work(lines) + CODE < self.general_work() else []

    def three_by_three(self) -> Form | None:
        """depthwise_3x3"""
        lines = Lines.best(self.rows, self.columns, self.depth)
        if self.several > 1 or lines is None:
            return None
        scaling = self._scaling(self.values, self.zero_point)
        return Form(
            type="depthwise_3x3",
            form="apart" if lines.along.stride == 2 else "",
            fields=[
                ("words", "words"),
                ("depth", str(self.depth)),
                *lines.fields(),
                ("zero_point", str(self.zero_point)),
                ("keeps_negative", str(int(scaling.keeps_negative))),
            ],
            arrays=[packed.threes(_lines_first(self.values, lines), scaling)],
            in_place=self.input.shape == self.output.shape,
            scratch=lines.scratch,
        )

    def window(self) -> Sequence[Form]:
        """depthwise_window"""
        rows, columns = (axis if self.part else axis.inside for axis in (self.rows, self.columns))
        step = _step(rows, columns)
        if self.several > 1 or self.depth < packed.FOUR or rows.padded or columns.padded or step is None:
            return []
        taps = self.values[rows.within(self.rows), columns.within(self.columns)]
        flat = taps.reshape(-1, self.depth).T
        pairs, odd = divmod(flat.shape[1], 2)
        fields = [
            ("words", "words"),
            ("depth", str(self.depth)),
            ("tap_step", str(step * self.depth)),
            ("pairs", str(2 * pairs * step * self.depth)),
            ("odd", str(odd)),
            ("rows", str(rows.count)),
            ("columns", str(columns.count)),
            ("row_step", str(rows.stride * columns.size * self.depth)),
            ("column_step", str(columns.stride * self.depth)),
        ]
        words = packed.fours([flat], self._scaling(taps, self.zero_point))
        work = rows.count * columns.count * (20 + -(-self.depth // 4) * (47 + 20 * pairs + 10 * odd))
        return [Form("depthwise_window", fields, [words], work=work)]

    def lines(self) -> Sequence[Form]:
        """depthwise_lines, a call for each of the channels that one channel makes."""
        lines = AnyLines.quickest(self.rows, self.columns, self.depth, self.several)
        if self.depth < packed.FOUR or lines is None:
            return []
        forms = []
        for which in range(self.several):
            words = self._line_words(lines, which)
            fields = [
                ("words", "words"),
                ("block", str(len(words.values) // -(-self.depth // 4))),
                ("depth", str(self.depth)),
                *lines.fields(),
                ("made_first", str(which)),
                ("zero_point", str(self.zero_point)),
            ]
            forms.append(
                Form(
                    type="depthwise_lines",
                    fields=fields,
                    arrays=[words],
                    in_place=self._in_place,
                    scratch=lines.scratch,
                    work=lines.work,
                )
            )
        return forms

    @property
    def _in_place(self) -> bool:
        """depthwise_lines: a line is widened before that of the output is made, and no channel made twice."""
        apart = max(self.rows.dilation, self.columns.dilation) > 1
        return self.input.shape == self.output.shape and self.depth % packed.FOUR == 0 and not apart

    def _line_words(self, lines: AnyLines, which: int) -> Array:
        channels_ = slice(which, None, self.several)
        taps = _lines_first(self.values[..., channels_], lines)
        runs = [
            taps[:, line, first :: lines.along.stride]
            for line, first in np.ndindex(lines.across.kernel, lines.along.stride)
        ]
        return packed.fours(runs, self._scaling(self.values, self.zero_point, channels_))

    def general(self) -> Form:
        """depthwise_conv_2d, which takes any layer."""
        scaling = self._scaling(self.values, 0)
        rows, columns = self.rows, self.columns
        note = "of each tap, all channels"
        return Form(
            type="depthwise_conv_2d",
            form="general" if scaling.general else "",
            fields=[
                ("weights", "weights"),
                ("channels", "channels"),
                ("rows", str(rows.size)),
                ("columns", str(columns.size)),
                ("depth", str(self.depth)),
                ("out_rows", str(rows.count)),
                ("out_columns", str(columns.count)),
                ("multiplier", str(self.several)),
                ("kernel_rows", str(rows.kernel)),
                ("kernel_columns", str(columns.kernel)),
                ("row_stride", str(rows.stride)),
                ("column_stride", str(columns.stride)),
                ("row_dilation", str(rows.dilation)),
                ("column_dilation", str(columns.dilation)),
                ("top", str(rows.before)),
                ("left", str(columns.before)),
                ("minus_zero", str(-self.zero_point)),
                ("zero_point", str(scaling.zero_point)),
                ("low", str(scaling.low)),
                ("high", str(scaling.high)),
            ],
            arrays=[Array("weights", "int8_t", self.values.reshape(-1), note), scaling.array()],
        )

    def general_work(self) -> int:
        """Instructions of depthwise_conv_2d: four channels at a time or each, no taps in the padding."""
        rows, columns = self.rows, self.columns
        taps, positions = rows.taps_inside * columns.taps_inside, rows.count * columns.count
        if self.several > 1:
            return self.several * self.depth * (12 * taps + 30 * positions)
        fours = -(-self.depth // 4)
        return fours * (14 * taps + 20 * rows.taps_inside * columns.count) + positions * (60 + 45 * fours)

    def _scaling(self, taps: channels.Ints, folded: int, which: slice = slice(None)) -> channels.Scaling:
        """taps: [..., channels]; folded: the zero point that the biases take in; which: of the channels"""
        flat = taps.reshape(-1, taps.shape[-1]).T
        multipliers = channel_multipliers(self.input, self.weights, self.output, len(flat))
        return channels.Scaling(
            biases=channels.folded_bias(flat, self.bias, folded)[which],
            multipliers=multipliers[which],
            largest=channels.largest_sums(flat, self.bias, self.zero_point)[which],
            zero_point=quantization(self.output).zero_point,
            low=self.limits[0],
            high=self.limits[1],
        )


def _lines_first(values: channels.Ints, lines: Lines) -> channels.Ints:
    """[channels, lines, points] of values [rows, columns, channels]"""
    return values.transpose(2, 0, 1) if lines.along_rows else values.transpose(2, 1, 0)


def _work(forms: Sequence[Form]) -> int:
    return sum(form.work for form in forms)


def _step(rows: Axis, columns: Axis) -> int | None:
    """Points of the input from one tap to the next, where these lie at equal distances."""
    if rows.kernel == 1:
        return columns.dilation
    if columns.kernel == 1:
        return rows.dilation * columns.size
    if columns.kernel == columns.size and rows.dilation == columns.dilation == 1:
        return 1
    return None


def why_general(depth: int) -> str:
    """Why no kernel but depthwise_conv_2d serves the windows of a layer, or none is quicker."""
    if depth < packed.FOUR:
        return f"it has {depth} channels, fewer than {packed.FOUR}"
    return "it has a stride and a dilation along one axis, or few taps inside its input"
