# SPDX-License-Identifier: Apache-2.0
"""Incremental inference: which layers compute one row only when the cascade slides by one frame."""

from codegen.incremental.edges import Edges
from codegen.incremental.planner import Incremental, incremental

__all__ = ["Edges", "Incremental", "incremental"]
