# SPDX-License-Identifier: Apache-2.0
"""The table of operators: what the compared models say of themselves, added up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.common.paths import ROOT
from codegen.model.reader import read_graph
from tests.models.networks import tutorial_like
from tests.support.tally import FOLDER, OWNER, table, traits_of

TESTS = """
from pathlib import Path
import pytest
from tests.support.tally import tally_case, tally_count

@pytest.mark.parametrize("n", [1, 2, 3])
def test_a(n):
    tally_case(Path({model!r}), 10, "qemu" if n == 3 else "pc")

def test_b():
    tally_count("trials", 7)
"""


def test_traits_are_the_files(tmp_path: Path) -> None:
    graph = read_graph(tutorial_like(tmp_path / "model.tflite", 1))
    traits = {node.op: dict(traits_of(graph, node)) for node in graph.nodes}
    convolution = traits["CONV_2D"]
    assert (convolution["padding"], convolution["stride h"], convolution["weights"]) == (
        "valid",
        "1",
        "per channel",
    )
    assert traits["ADD"]["operands"] == "broadcast, second constant"
    assert traits["SOFTMAX"]["beta"] == "1"


def test_cases_values_and_options_are_counted() -> None:
    records = [
        {"operator": "ADD", "traits": {"a": "x"}, "values": 5, "target": "pc"},
        {"operator": "ADD", "traits": {"a": "y"}, "values": 6, "target": "qemu"},
        {"operator": "ADD", "traits": {"a": "x"}, "values": 7, "target": "pc"},
    ]
    lines = table(records)
    assert lines[1].split() == ["ADD", "2", "1", "18"]
    assert lines[2].strip() == "a: x (2), y (1)"
    assert lines[-1].startswith("1 operators, 2 distinct combinations")


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_all_processes_of_a_run_are_added_up(workers: str, tmp_path: Path) -> None:
    model = tutorial_like(tmp_path / "model.tflite", 1)
    (tmp_path / "test_x.py").write_text(TESTS.format(model=str(model)))
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    unwanted = ("PYTEST", "CI", FOLDER, OWNER)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(unwanted)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--operators", workers, "."],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    count = sum(node.op == "CONV_2D" for node in read_graph(model).nodes)
    row = next(line for line in lines if line.startswith("CONV_2D"))
    assert row.split()[1:] == [str(2 * count), str(count), str(30 * count)]
    assert any("computed before: yes" in line for line in lines)  # SHAPE of a Flatten
    assert "7 trials" in lines
