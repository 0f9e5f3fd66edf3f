# SPDX-License-Identifier: Apache-2.0
"""The operators the engine computes: a family a file, each with its checks and its lowering to kernels."""

from __future__ import annotations

from codegen.model.graph import Graph, Node
from codegen.ops import (
    arg_extreme,
    arithmetic,
    batch_matmul,
    cast,
    comparison,
    concatenation,
    conv_2d,
    depthwise_conv_2d,
    divide,
    elu,
    features,
    float_function,
    fully_connected,
    gather,
    int16x8,
    l2_normalization,
    log_softmax,
    lstm,
    math_functions,
    mean,
    movement,
    pad,
    pool_2d,
    prelu,
    rearrange,
    reduce,
    reduce_prod,
    rescale,
    reshape,
    resize,
    select,
    softmax,
    squared_difference,
    sum,
    svdf,
    transpose_conv,
    unary,
    variable,
)
from codegen.ops.family import Family, Fault

MODULES = (
    arg_extreme,
    arithmetic,
    batch_matmul,
    cast,
    comparison,
    concatenation,
    conv_2d,
    depthwise_conv_2d,
    divide,
    elu,
    features,
    float_function,
    fully_connected,
    gather,
    l2_normalization,
    log_softmax,
    lstm,
    math_functions,
    mean,
    movement,
    pad,
    pool_2d,
    prelu,
    rearrange,
    reduce,
    reduce_prod,
    rescale,
    reshape,
    resize,
    select,
    softmax,
    squared_difference,
    sum,
    svdf,
    transpose_conv,
    unary,
    variable,
)

FAMILIES: dict[str, Family] = {
    op: family for module in MODULES for family in module.FAMILIES for op in family.ops
}


def family_of(graph: Graph, node: Node) -> Family | None:
    """The family that computes a node, which for 16-bit activations may be another; None: no family does."""
    own = int16x8.FAMILIES.get(node.op) if int16x8.is_int16(graph, node) else None
    return own or FAMILIES.get(node.op)


__all__ = ["FAMILIES", "Family", "Fault", "family_of"]
