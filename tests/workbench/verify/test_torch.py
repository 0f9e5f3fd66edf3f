# SPDX-License-Identifier: Apache-2.0
"""Nets of PyTorch that litert-torch exported and its quantisers made int8: every output is the reference's.

tests/models/torch/ holds what tests/models/torch_nets.py wrote. EARSHOT_TORCH names a Python with torch and
litert-torch, with which they are written anew and compared, too.
"""

from __future__ import annotations

import os
import subprocess
import textwrap
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.common.reference import Reference
from codegen.model.graph import Graph
from codegen.passes.legalise import load_graph
from codegen.passes.torch_words import QUANTISE
from tests.support.models_c import ModelsC
from tests.support.tally import tally_case
from tests.support.tflm import need_tflm
from workbench.verify.model import UNFIT
from workbench.verify.outputs import float_probes, probes
from workbench.verify.reference import ReferenceInterpreter

pytestmark = pytest.mark.xdist_group("torch")  # one program of all
WRITER = ROOT / "tests/models/torch_nets.py"
MODELS = sorted((ROOT / "tests/models/torch").glob("*.tflite"))
SAMPLES = 12


class Compared:
    """Some models' outputs, and the interpreter's: TensorFlow Lite Micro's of those that LiteRT's is no
    reference of (a SUM)."""

    def __init__(self, paths: Sequence[Path], target: str, samples: int) -> None:
        self.values: dict[Path, int] = {}
        self.whose: dict[Path, Reference] = {}
        self.differing: set[Path] = set()
        unfit = [path for path in paths if UNFIT.keys() & {node.op for node in load_graph(path).nodes}]
        self._compare([path for path in paths if path not in unfit], target, samples, Reference.LITERT)
        if unfit:
            need_tflm()
            self._compare(unfit, target, samples, Reference.TFLM)

    def _compare(self, paths: Sequence[Path], target: str, samples: int, whose: Reference) -> None:
        models = ModelsC(paths, target=target, reference=whose)
        rows = [_inputs(graph, place, samples) for place, graph in enumerate(models.graphs)]
        with ReferenceInterpreter(paths[0], whose) as reference:
            for path, inputs, found in zip(paths, rows, models.run(rows), strict=True):
                reference.load(path)
                wanted = reference.run(inputs)
                self.values[path], self.whose[path] = found.size, whose
                if wanted.dtype != found.dtype or wanted.tobytes() != found.tobytes():
                    self.differing.add(path)


def _inputs(graph: Graph, seed: int, samples: int) -> NDArray[Any]:
    if graph.input.dtype == "float32":
        return float_probes(graph, graph.inputs[0], samples, seed)[0]
    return probes(graph.input, samples, seed)[0]


@lru_cache(maxsize=1)
def every() -> Compared:
    return Compared(MODELS, "pc", SAMPLES)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: str(path.stem))
def test_no_value_differs(path: Path) -> None:
    assert path not in every().differing
    tally_case(path, every().values[path], "pc", every().whose[path])


def test_on_a_cortex_m4() -> None:
    compared = Compared(MODELS, "qemu", 1)
    assert len(compared.values) == len(MODELS)
    assert compared.differing == set()


def test_there_are_fifteen_nets_and_small_files() -> None:
    assert len({path.stem.removesuffix("_pt2e") for path in MODELS}) == 15
    assert sum(path.stat().st_size for path in MODELS) < 500_000


def python_with_torch() -> str:
    python = os.environ.get("EARSHOT_TORCH")
    if not python:
        pytest.skip("EARSHOT_TORCH names no Python with torch and litert-torch")
    return python


def test_the_remedy_of_a_float_file_quantises_it(tmp_path: Path) -> None:
    """Its lines, run as they stand with a net of the reader's."""
    python = python_with_torch()
    before = """
        import litert_torch, numpy as np, torch
        model, sample_inputs = torch.nn.Linear(6, 3), (torch.zeros(1, 6),)
        inputs = [np.random.default_rng(i).normal(size=(1, 6)).astype(np.float32) for i in range(20)]
    """
    lines = [*textwrap.dedent(before).splitlines(), *(line.strip() for line in QUANTISE.splitlines()[1:])]
    subprocess.run([python, "-c", "\n".join(lines)], cwd=tmp_path, check=True)
    with pytest.raises(UserError) as error:
        load_graph(tmp_path / "float.tflite")
    assert QUANTISE in str(error.value)
    graph = load_graph(tmp_path / "model.tflite")
    assert (graph.input.dtype, graph.output.dtype) == ("int8", "int8")


def test_what_todays_packages_write(tmp_path: Path) -> None:
    python = python_with_torch()
    subprocess.run([python, WRITER, tmp_path], check=True)
    written = sorted(tmp_path.glob("*.tflite"))
    assert [path.stem for path in written] == [path.stem for path in MODELS]
    assert Compared(written, "pc", SAMPLES).differing == set()
