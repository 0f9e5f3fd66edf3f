# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin: which operators, with which options, were compared with the reference, and how often.

`pytest --operators` prints the table at the end of the run. Every case tells of itself: what the model's file
says of each operator, and how many output values were compared; nothing in the table is written by hand.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from codegen.common.reference import Reference
from codegen.model.fold import fold
from codegen.model.graph import Graph, Node, Quantization, Tensor
from codegen.model.reader import read_graph

FOLDER = "EARSHOT_TALLY"  # environment: where the processes of a run leave their records
OWNER = f"{FOLDER}_OWNER"  # the process that prints them
WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
BINARY = ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM")
SHOWN = 8  # values of one option listed one by one
_DULL = {
    "pot_scale_int16",
    "asymmetric_quantize_inputs",
    "weights_format",
    "new_shape",
    "quantized_bias_type",
    "states",
}


def tally_case(path: Path, values: int, target: str, reference: Reference = Reference.LITERT) -> None:
    """Records a model whose `values` output values were all the reference's."""
    if FOLDER not in os.environ:
        return
    graph = read_graph(path)
    computed = {node.index for node in fold(graph).nodes}
    for node in graph.nodes:
        traits = dict(traits_of(graph, node)) if node.index in computed else {"computed before": "yes"}
        traits["reference"] = reference.value
        _write({"operator": node.op, "traits": traits, "values": values, "target": target})


def tally_count(what: str, count: int) -> None:
    """Records a number of trials of another kind: damaged files read."""
    if FOLDER in os.environ:
        _write({"what": what, "count": count})


def _write(record: Mapping[str, Any]) -> None:
    with (Path(os.environ[FOLDER]) / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def traits_of(graph: Graph, node: Node) -> Iterator[tuple[str, str]]:
    """What distinguishes this use of the operator: its options, types, scales, operands."""
    operands = [graph.tensors[index] for index in node.inputs if index >= 0]
    results = [graph.tensors[index] for index in node.outputs]
    if operands and results:
        yield "types", f"{operands[0].dtype} to {results[0].dtype}"
    for name, value in node.options.items():
        if name not in _DULL:
            yield name.replace("_", " "), _text(value)
    if node.op in WEIGHTED:
        yield from _weighted(operands, results[0])
    if node.op in BINARY:
        yield "operands", _operands(operands)
    if node.op == "STRIDED_SLICE" and len(operands) == 4 and operands[3].data is not None:
        strides = operands[3].data.reshape(-1)
        yield "strides", "negative" if (strides < 0).any() else "over 1" if (strides > 1).any() else "1"
    if operands and operands[0].dtype == "int8" and operands[0].quantization is not None:
        yield "input zero point", _rail(operands[0].quantization)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return f"{len(value)} numbers" if isinstance(value, list | tuple) else str(value)


def _weighted(operands: list[Tensor], output: Tensor) -> Iterator[tuple[str, str]]:
    scales = operands[1].quantization
    if scales is None or operands[0].quantization is None or output.quantization is None:
        return
    yield "weights", "per channel" if len(scales.scales) > 1 else "per tensor"
    yield "bias", "yes" if len(operands) > 2 else "no"
    largest = operands[0].quantization.scale * max(scales.scales) / output.quantization.scale
    yield "multiplier", "over 1" if largest >= 1 else "under 2^-20" if largest < 2**-20 else "between"


def _operands(operands: list[Tensor]) -> str:
    constant = (
        ["first", "second"][[t.data is not None for t in operands].index(True)]
        if any(t.data is not None for t in operands)
        else "no"
    )
    a, b = (operand.shape for operand in operands)
    shapes = "same shapes" if a == b else "broadcast"
    return f"{shapes}, {constant} constant"


def _rail(quantization: Quantization) -> str:
    zero = quantization.zero_points[0]
    return str(zero) if zero in (-128, 0, 127) else "another"


def table(records: list[dict[str, Any]]) -> list[str]:
    """Lines: an operator with its cases and values compared, then its options with their cases."""
    cases: Counter[tuple[str, str]] = Counter()
    values: Counter[str] = Counter()
    options: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for record in records:
        op = record["operator"]
        cases[op, record["target"]] += 1
        values[op] += record["values"]
        for name, value in record["traits"].items():
            options[op][name][value] += 1
    targets = sorted({target for _, target in cases})
    width = max((len(op) for op in values), default=8)
    lines = [
        f"{'operator':<{width}}" + "".join(f"{f'cases on {t}':>15}" for t in targets) + f"{'values':>14}"
    ]
    for op in sorted(values):
        reported = "".join(f"{cases[op, target]:>15,}" for target in targets)
        lines.append(f"{op:<{width}}{reported}{values[op]:>14,}")
        for name, counts in sorted(options[op].items()):
            lines.append(f"    {name}: {_counts(counts)}")
    total = len({(r["operator"], json.dumps(r["traits"], sort_keys=True)) for r in records})
    lines.append(f"{len(values)} operators, {total:,} distinct combinations of options, 0 values differing")
    return lines


def _counts(counts: Counter[str]) -> str:
    """same 80, valid 76; where there are many, how many."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    text = ", ".join(f"{value} ({count:,})" for value, count in ordered[:SHOWN])
    return text + (f" and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else "")


def pytest_addoption(parser: pytest.Parser) -> None:
    """--operators."""
    parser.addoption(
        "--operators", action="store_true", help="print the table of operators, options and cases compared"
    )


def pytest_configure(config: pytest.Config) -> None:
    """The folder of records, made by the first process and inherited by its workers."""
    if config.getoption("--operators") and FOLDER not in os.environ:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="tally")
        os.environ[OWNER] = str(os.getpid())


def summary(terminal: Any) -> None:
    """Prints the table."""
    if os.environ.get(OWNER) != str(os.getpid()):  # a worker of xdist
        return
    records: list[dict[str, Any]] = []
    for file in sorted(Path(os.environ[FOLDER]).glob("*.jsonl")):
        records += [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        file.unlink()
    Path(os.environ[FOLDER]).rmdir()
    del os.environ[FOLDER], os.environ[OWNER]
    terminal.section("operators compared with the reference, value by value")
    for line in table([record for record in records if "operator" in record]):
        terminal.write_line(line)
    counts: Counter[str] = Counter()
    for record in records:
        if "what" in record:
            counts[record["what"]] += record["count"]
    for what, count in sorted(counts.items()):
        terminal.write_line(f"{count:,} {what}")
