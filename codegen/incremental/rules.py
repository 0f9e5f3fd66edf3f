# SPDX-License-Identifier: Apache-2.0
"""What slides: the model's input, and what the rule of an operator's family (codegen/ops) makes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from codegen.app.spec import Layout
from codegen.model.graph import Node, Tensor
from codegen.ops import FAMILIES, int16x8
from codegen.ops.rows import NO_RULE, NotIncrementalError, Recipe, Sources, View, view_along, view_flat

BYTES = ("int8", "bool")  # types of values that slide
WIDER = (*BYTES, "int16")  # and of those whose rows are kept as they are


def input_view(tensor: Tensor, frames: int, layout: Layout) -> View:
    """The cascade as the model's input. NotIncrementalError where its rows are not the frames."""
    if layout is Layout.FRAMES_BY_CEPSTRA:
        return view_flat(tensor, frames)
    sizes = [axis for axis, size in enumerate(tensor.shape) if size != 1]
    if len(sizes) > 2 or not sizes or tensor.shape[sizes[-1]] != frames:
        raise NotIncrementalError("the model's input is flat, with the frames side by side in it")
    return view_along(tensor, sizes[-1])


def recipe(
    node: Node, sources: Sources, makers: Mapping[int, Node], types: Collection[str] = BYTES
) -> Recipe:
    """The rule of the node's operator, applied.

    makers: of the tensors that nodes make; types: of values whose rows can be kept
    """
    computed = _computed(node, sources)
    if not computed:
        raise NotIncrementalError("it reads constants alone")
    for index in computed:
        if index not in sources.views:
            maker = makers[index]
            raise NotIncrementalError(f"it reads layer {maker.number} ({maker.op}), computed in full")
    family = FAMILIES.get(node.op)
    if sources.tensors[computed[0]].dtype == "int16":
        family = int16x8.FAMILIES.get(node.op, family)
    rule = family.incremental if family is not None else NO_RULE
    if rule == NO_RULE:
        raise NotIncrementalError(NO_RULE)
    others = {sources.tensors[index].dtype for index in (*node.outputs, *computed)} - set(types)
    if others:
        raise NotIncrementalError(
            f"its values are {' and '.join(sorted(others))}, which are not kept row by row"
        )
    if isinstance(rule, str):
        raise NotIncrementalError(rule)
    return rule(node, sources)


def _computed(node: Node, sources: Sources) -> list[int]:
    return [index for index in node.inputs if index >= 0 and sources.tensors[index].data is None]
