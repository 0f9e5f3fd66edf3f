# SPDX-License-Identifier: Apache-2.0
"""Random graphs of all operators together: what shares memory, works in place or lives long must not show."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from tests.models.builder import Builder
from tests.models.graphs import Graphs
from tests.support.exact import ONE_BATCH, Batch, batches, check


@dataclass(frozen=True)
class Graph:
    """A random graph of `layers` layers."""

    seed: int
    layers: int = 9

    def build(self) -> Builder:
        """The model."""
        return Graphs(self.seed).network(self.layers)


def graphs() -> st.SearchStrategy[Graph]:
    """Any."""
    return st.builds(Graph, st.integers(0, 2**32 - 1))


# A test of its own for each mode, so that each meets other graphs.


@ONE_BATCH
@given(batches(graphs(), 18))
def test_small_kernels(cases: Batch) -> None:
    check(cases)


@ONE_BATCH
@given(batches(graphs(), 18))
def test_fast_kernels(cases: Batch) -> None:
    check(cases, kernels="fast")


@ONE_BATCH
@given(batches(graphs(), 6))
def test_small_kernels_on_a_cortex_m4(cases: Batch) -> None:
    check(cases, target="qemu")


@ONE_BATCH
@given(batches(graphs(), 6))
def test_fast_kernels_on_a_cortex_m4(cases: Batch) -> None:
    check(cases, kernels="fast", target="qemu")
