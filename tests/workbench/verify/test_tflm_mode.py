# SPDX-License-Identifier: Apache-2.0
"""Reference.TFLM against TensorFlow Lite Micro's own interpreter, where its bits are not LiteRT's."""

from __future__ import annotations

import pytest
from hypothesis import given

from codegen.common.reference import Reference
from tests.codegen.ops.test_arithmetic import arithmetics
from tests.codegen.ops.test_fully_connected import denses
from tests.codegen.ops.test_unary import unaries
from tests.support.exact import ONE_BATCH, Batch, batches, check
from tests.support.tflm import need_tflm


@ONE_BATCH
@given(batches(denses(), 60))
def test_any_dense_layer(cases: Batch) -> None:
    need_tflm()
    check(cases, reference=Reference.TFLM)


@ONE_BATCH
@given(batches(arithmetics(), 60))
def test_any_sum_or_product(cases: Batch) -> None:
    need_tflm()
    check(cases, reference=Reference.TFLM)


@pytest.mark.parametrize("op", ["LOGISTIC", "TANH", "LEAKY_RELU", "HARD_SWISH", "RELU", "RELU6"])
def test_any_function(op: str) -> None:
    need_tflm()

    @ONE_BATCH
    @given(batches(unaries(op), 30))
    def each(cases: Batch) -> None:
        check(cases, reference=Reference.TFLM)

    each()
