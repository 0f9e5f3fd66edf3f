# SPDX-License-Identifier: Apache-2.0
"""Incremental inference of models that pad or move by several rows along time.

Rows near the two ends of the window are computed at every decision, since their padding moves with it; the
rows between are what they were, some rows further up, and are kept.
"""

from codegen.incremental.edges.planner import Edges, edges

__all__ = ["Edges", "edges"]
