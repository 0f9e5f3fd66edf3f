# SPDX-License-Identifier: Apache-2.0
"""Variables of streaming models: handles, reads, writes and their initial values, without resource tensors.

A converter writes VAR_HANDLE (a name), READ_VARIABLE, ASSIGN_VARIABLE, and CALL_ONCE of a second graph that
assigns the initial values. Here a variable becomes a numbered piece of state; READ_VARIABLE keeps its output,
ASSIGN_VARIABLE its value, both with the option "variable". An LSTM has states of its own, tensors marked as
variable that it alone reads and writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from codegen.model import schema
from codegen.model.graph import Graph, Node, Tensor, Variable

OPS = ("CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE")
# Custom operators of TensorFlow Lite Micro that keep a state from run to run; nothing in a file tells of it.
CUSTOM = (
    *("CIRCULAR_BUFFER", "SignalDelay", "SignalFilterBankSpectralSubtraction"),
    *("SignalFramer", "SignalOverlapAdd", "SignalStacker"),
)
REMEDY = "convert the streaming model again, with variables that are set once and then kept"


class VariableError(Exception):
    """Variables are used in a way that is not understood; `node`: where, when it is in the main graph."""

    def __init__(self, what: str, node: Node | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.node = node


def resolve(graph: Graph, others: Sequence[Graph]) -> Graph:
    """`graph` with its variables numbered. others: the file's other graphs, by number from 1 on."""
    called = [node for node in graph.nodes if node.op == "CALL_ONCE"]
    used = {int(node.options["init_subgraph_index"]) for node in called}
    if used != set(range(1, len(others) + 1)):
        raise VariableError(
            f"{len(others) + 1} subgraphs: beside the model, only initial values of variables may be one"
        )
    initial: dict[str, Tensor] = {}
    for other in others:
        initial.update(_initial_values(other))
    handles = _handles(graph)
    variables: dict[str, Variable] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.op in ("CALL_ONCE", "VAR_HANDLE"):
            continue
        if node.op not in OPS:
            nodes.append(node)
            continue
        name = handles.get(node.inputs[0]) if node.inputs else None
        if name is None:
            raise VariableError("its first input is no variable", node)
        if name not in initial:
            raise VariableError(f'the variable "{name}" has no initial value', node)
        if name not in variables:
            variables[name] = _variable(len(variables), name, initial[name])
        options = {"variable": variables[name].index}
        nodes.append(replace(node, inputs=node.inputs[1:], options=options))
    return replace(graph, nodes=tuple(nodes), variables=tuple(variables.values()))


def with_own_states(graph: Graph) -> Graph:
    """`graph` with the states of its LSTMs numbered too: a node's option "states", tensor -> variable.

    Their first value is what both interpreters set: the zero point where they are int8, otherwise 0.
    """
    variables = list(graph.variables)
    numbers: dict[int, int] = {}  # tensor -> variable
    nodes: list[Node] = []
    for node in graph.nodes:
        own = [index for index in node.inputs if index >= 0 and graph.tensors[index].variable]
        for index in own:
            if index not in numbers:
                numbers[index] = len(variables)
                variables.append(_own_state(len(variables), graph.tensors[index]))
        states = {"states": {index: numbers[index] for index in own}} if own else {}
        nodes.append(replace(node, options={**node.options, **states}))
    return replace(graph, nodes=tuple(nodes), variables=tuple(variables))


def lasting(graph: Graph, others: Sequence[Graph]) -> Graph:
    """`graph` as it stands in the file, with a variable for each that lasts from run to run: those that
    handles in it or in the file's other graphs name, and the states of its operators' own, custom ones too.

    For an engine that keeps them itself: they have neither values nor shapes here.
    """
    named = {name for each in (graph, *others) for name in _handles(each).values()}
    own = [tensor.name for tensor in graph.tensors if tensor.variable]
    own += [node.op for node in graph.nodes if node.op.removeprefix("CUSTOM ") in CUSTOM]
    nothing = np.zeros(0, np.int8)
    found = [Variable(index, name, (), "int8", nothing) for index, name in enumerate([*sorted(named), *own])]
    return replace(graph, variables=tuple(found))


def _own_state(index: int, tensor: Tensor) -> Variable:
    zero = 0
    if tensor.dtype == "int8" and tensor.quantization is not None:
        zero = tensor.quantization.zero_points[0]
    dtype = tensor.dtype if tensor.dtype in schema.NUMPY_TYPES else "int8"
    initial = np.full(tensor.shape, zero, np.dtype(dtype))
    return Variable(index, tensor.name, tensor.shape, dtype, initial, own=True)


def _variable(index: int, name: str, value: Tensor) -> Variable:
    assert value.data is not None
    return Variable(index, name, value.shape, value.dtype, value.data)


def _handles(graph: Graph) -> dict[int, str]:
    """Resource tensor -> name."""
    found = {}
    for node in graph.nodes:
        if node.op == "VAR_HANDLE" and node.outputs:
            found[node.outputs[0]] = f"{node.options['container']}/{node.options['shared_name']}".lstrip("/")
    return found


def _initial_values(graph: Graph) -> dict[str, Tensor]:
    """Name -> constant, of a graph that does nothing but assign constants."""
    handles = _handles(graph)
    found = {}
    for node in graph.nodes:
        if node.op == "VAR_HANDLE":
            continue
        if node.op != "ASSIGN_VARIABLE" or len(node.inputs) != 2 or node.inputs[0] not in handles:
            raise VariableError(f"the initial values are computed by {node.op}; they must be constants")
        value = graph.tensors[node.inputs[1]]
        if value.data is None or value.dtype not in ("int8", "uint8", "int16", "int32"):
            raise VariableError(
                f"an initial value is {value.dtype}, or computed; it must be a constant of integers"
            )
        found[handles[node.inputs[0]]] = value
    return found


def uniform(variable: Variable) -> int | None:
    """The one byte that fills the initial value; None where bytes differ."""
    data = np.frombuffer(variable.initial.tobytes(), np.int8)
    return int(data[0]) if (data == data[0]).all() else None
