# SPDX-License-Identifier: Apache-2.0
"""Files that are no model, or no longer one: one message, in bounded time and memory."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from codegen.app.spec import Classifier, Spec
from codegen.common.errors import UserError
from codegen.compile import run_passes
from codegen.emit.model import model_source
from codegen.model.graph import Graph
from codegen.passes.legalise import load_graph
from tests.models.networks import Network, dense_only
from tests.support.models_c import ModelsC
from tests.support.refused_model import refused
from tests.support.tally import tally_count


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "absent.tflite")


def test_a_folder(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"abc", "something else"),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "HDF5"),
        (b"PK\x03\x04" + bytes(64), "zip"),
        (b"# not a model\n" * 20, "something else"),
    ],
)
def test_another_kind_of_file(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    text = refused(path)
    assert word in text
    assert "TFLiteConverter" in text


def test_a_file_too_large(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    with path.open("wb") as file:
        file.seek((64 << 20) + 1)
        file.write(b"\0")
    with pytest.raises(UserError, match="more than a model for a microcontroller can be"):
        load_graph(path)


def same(a: Graph, b: Graph) -> bool:
    """Everything but the hash."""
    return [(t.shape, t.dtype, t.quantization, t.data is None or t.data.tobytes()) for t in a.tensors] == [
        (t.shape, t.dtype, t.quantization, t.data is None or t.data.tobytes()) for t in b.tensors
    ] and [(n.op, n.inputs, n.outputs, n.options) for n in a.nodes] == [
        (n.op, n.inputs, n.outputs, n.options) for n in b.nodes
    ]


def test_every_prefix_of_a_good_file(tmp_path: Path) -> None:
    """A cut file is refused; only bytes at the end that nothing points to may be missing."""
    path = dense_only(tmp_path / "model.tflite", 1)
    data, whole = path.read_bytes(), load_graph(path)
    cut = tmp_path / "cut.tflite"
    passed = []
    for size in range(len(data)):
        cut.write_bytes(data[:size])
        try:
            graph = load_graph(cut)
        except UserError:
            continue
        assert same(graph, whole)
        passed.append(size)
    assert passed == list(range(len(data) - len(passed), len(data)))
    assert len(passed) < 16
    tally_count("models cut short at every byte", len(data))


def mutants(path: Path, count: int, seed: int) -> list[bytes]:
    """Copies of a file with bytes changed: anywhere, or offsets and lengths made extreme."""
    data = np.frombuffer(path.read_bytes(), np.uint8)
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        changed = data.copy()
        for _ in range(random.integers(1, 4)):
            place = int(random.integers(8, len(changed)))
            if random.integers(2):
                changed[place] = random.integers(256)
            else:
                word = random.choice(
                    np.array([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, len(data)], np.uint32)
                )
                place -= place % 4
                changed[place : place + 4] = np.frombuffer(word.tobytes(), np.uint8)[: len(changed) - place]
        found.append(changed.tobytes())
    return found


def loaded(path: Path) -> Graph | None:
    """The graph, or None where it is refused."""
    try:
        return load_graph(path)
    except UserError:
        return None


def source(graph: Graph) -> str:
    """The C of a graph."""
    spec = Spec("net", Path("/none/pipeline.toml"), Classifier(Path("/none")), None)
    return model_source(run_passes(spec, graph), 0)


def test_damaged_files(tmp_path: Path) -> None:
    """Thousands of mutants: a message or a model, soon; never another exception."""
    path = tmp_path / "mutant.tflite"
    models = [dense_only(tmp_path / "a.tflite", 1), _small_conv(tmp_path / "b.tflite")]
    passed = []
    for number, model in enumerate(models):
        for data in mutants(model, 1500, number):
            path.write_bytes(data)
            start = time.process_time()
            graph = loaded(path)
            if graph is not None:
                source(graph)
                if graph.input.nbytes + graph.output.nbytes < 4096:
                    passed.append(graph)
            assert time.process_time() - start < 10
    assert len(passed) > 100  # most changes hit weights, and those must stay models
    # what passed is C without a fault: the sanitizers stop the program otherwise
    sample = passed[:: max(1, len(passed) // 60)]
    rows = [
        np.random.default_rng(1).integers(-128, 128, (3, *graph.input.shape[1:])).astype(graph.input.dtype)
        for graph in sample
    ]
    ModelsC(sample).run(rows)
    tally_count("damaged models given to the reader: refused with a message, or models", 1500 * len(models))
    tally_count("of the damaged models that passed, run under the sanitizers", len(sample))


def _small_conv(path: Path) -> Path:
    network = Network(3, (1, 6, 5, 2), 0.1, 4)
    network.conv(4, (3, 2))
    network.per_channel("ADD")
    network.conv(3, (2, 2), "none", "same")
    network.flatten(dynamic=True)
    network.dense(3)
    network.softmax()
    return network.save(path)


def test_a_length_of_billions(tmp_path: Path) -> None:
    """Every 32-bit word of a file made enormous, one at a time: bounded time and memory."""
    path = dense_only(tmp_path / "model.tflite", 1)
    data = path.read_bytes()
    big = tmp_path / "big.tflite"
    start = time.process_time()
    for place in range(8, len(data) - 3, 4):
        big.write_bytes(data[:place] + b"\xff\xff\xff\x7f" + data[place + 4 :])
        try:
            load_graph(big)
        except UserError:
            continue
    assert time.process_time() - start < 60
    tally_count("models with one 32-bit word made enormous", (len(data) - 11) // 4)
