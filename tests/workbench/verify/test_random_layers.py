# SPDX-License-Identifier: Apache-2.0
"""`verify --layers` of random models: every layer of the library that ships on the PC, by the reference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from codegen.common.errors import UserError
from codegen.passes.layer_outputs import layer_outputs
from codegen.passes.legalise import load_graph
from codegen.passes.lower import lower
from tests.models.graphs import Graphs
from tests.support.cli import earshot

_SEEDS = 30  # of which MODELS are taken, those with the most operators
_LAYERS = 40
MODELS, OPERATORS = 2, 18  # at least so many operators are compared


def compared(path: Path) -> set[str]:
    """The operators whose output is compared; none where the door refuses random scales."""
    try:
        graph = load_graph(path)
    except UserError:
        return set()
    return {output.node.op for output in layer_outputs(graph, lower(graph))}


def most_operators(folder: Path) -> Iterator[tuple[Path, set[str]]]:
    """Models that together have the most operators, and what each has."""
    found = {}
    for seed in range(_SEEDS):
        path = folder / f"{seed}.tflite"
        path.write_bytes(Graphs(seed).network(_LAYERS).bytes())
        found[path] = compared(path)
    seen: set[str] = set()
    for _ in range(MODELS):
        best = max(found, key=lambda path: len(found[path] - seen))
        seen |= found[best]
        yield best, found[best]


def test_every_layer_of_random_models(tmp_path: Path) -> None:
    """Two builds a model, as users have them: no sanitizers, the compiler sees one model alone."""
    models = dict(most_operators(tmp_path))
    assert len(set.union(*models.values())) >= OPERATORS
    for model, operators in models.items():
        done = earshot("verify", model, "--samples", "4", "--layers", "--json")
        reported = json.loads(done.stdout)
        differing = [layer for layer in reported["layers"] if layer["differing"]]
        assert (done.returncode, differing, reported["differing"]) == (0, [], 0), done.stderr
        assert {layer["op"] for layer in reported["layers"]} == operators
        assert all(layer["compared"] for layer in reported["layers"])
