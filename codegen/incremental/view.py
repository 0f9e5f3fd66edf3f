"""How a tensor slides: which of its axes is time, and what one row along it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from codegen.app.spec import Layout
from codegen.model.graph import Tensor


class NotIncrementalError(Exception):
    """Why a layer is computed in full."""


@dataclass(frozen=True)
class View:
    """A tensor of which row t + 1 becomes row t when the cascade slides by one frame.

    axis: of its shape, along time; None where only its flat values are rows one after the other
    rows: along time; columns, depth: of a row, the last axis innermost
    turned: its rows do not lie one after the other in memory
    """

    tensor: int
    axis: int | None
    rows: int
    columns: int
    depth: int
    turned: bool = False

    @property
    def size(self) -> int:
        """Values of a row."""
        return self.columns * self.depth

    def picture(self, rows: int) -> tuple[int, int, int, int]:
        """The shape of `rows` rows, time first, as a picture."""
        return (1, rows, self.columns, self.depth)


def row_axes(shape: Sequence[int], axis: int) -> tuple[int, ...]:
    """Sizes of the other axes, without the batch in front."""
    return (*shape[min(axis, 1) : axis], *shape[axis + 1 :])


def view(tensor: Tensor, axis: int | None) -> View:
    """A tensor with time along `axis`. NotIncrementalError where that cannot be told from its shape."""
    if axis is None:
        raise NotIncrementalError("its rows cannot be told from its shape")
    rest = row_axes(tensor.shape, axis) or (1,)
    turned = math.prod(tensor.shape[:axis]) > 1
    return View(tensor.index, axis, tensor.shape[axis], math.prod(rest[:-1]), rest[-1], turned)


def flat(tensor: Tensor, rows: int) -> View:
    """A tensor whose values are `rows` rows one after the other, along an axis where its shape has one."""
    for axis, size in enumerate(tensor.shape):
        if size == rows:
            return view(tensor, axis)
        if size != 1:
            break
    return View(tensor.index, None, rows, 1, tensor.size // rows)


def input_view(tensor: Tensor, frames: int, layout: Layout) -> View:
    """The cascade as the model's input. NotIncrementalError where its rows are not the frames."""
    if layout is Layout.FRAMES_BY_CEPSTRA:
        return flat(tensor, frames)
    sizes = [axis for axis, size in enumerate(tensor.shape) if size != 1]
    if len(sizes) > 2 or not sizes or tensor.shape[sizes[-1]] != frames:
        raise NotIncrementalError("the model's input is flat, with the frames side by side in it")
    return view(tensor, sizes[-1])
