# SPDX-License-Identifier: Apache-2.0
"""The operators the engine computes: a family a file, each with its checks and its lowering to kernels."""

from __future__ import annotations

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
    unary,
    variable,
)

FAMILIES: dict[str, Family] = {
    op: family for module in MODULES for family in module.FAMILIES for op in family.ops
}

__all__ = ["FAMILIES", "Family", "Fault"]
