# SPDX-License-Identifier: Apache-2.0
"""The reference's process: an interpreter that answers messages, until the pipe is closed.

    python -m workbench.verify.reference_interpreter litert|tflm

Imports nothing of Earshot but the messages and how tensors are packed: TensorFlow Lite Micro's package has an
environment of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.verify.messages import receive, send
from workbench.verify.packed import pack, unpack

_ARENA = 1 << 20  # bytes, beside ten times the model's: of TensorFlow Lite Micro on a PC
_STATEFUL = ("VAR_HANDLE", "UNIDIRECTIONAL_SEQUENCE_LSTM")  # operators with a state that lasts
# custom operators with one: those of codegen/model/variables.py
CUSTOM = (
    *("CIRCULAR_BUFFER", "SignalDelay", "SignalFilterBankSpectralSubtraction"),
    *("SignalFramer", "SignalOverlapAdd", "SignalStacker"),
)


class InterpretedModel(Protocol):
    """A model in an interpreter, its variables fresh."""

    stateful: bool

    def one(self, row: NDArray[Any]) -> NDArray[Any]:
        """The output of one run; several inputs or outputs are packed (workbench.verify.packed)."""

    def tensor(self, index: int) -> NDArray[Any]:
        """A tensor of the main subgraph, by its index; where all are preserved."""

    def tensors(self) -> dict[int, NDArray[Any]]:
        """Every tensor of the main subgraph that has values, by its index; where all are preserved."""

    def empty(self) -> NDArray[Any]:
        """The outputs of no inputs."""


class LiteRT:
    """LiteRT's interpreter with BUILTIN_REF kernels; its default kernels give other bits."""

    def __init__(self, content: bytes, *, preserve: bool = False) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self._interpreter = Interpreter(
            model_content=content,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=preserve,
        )
        self._interpreter.allocate_tensors()
        self.stateful = any(op["op_name"] in _STATEFUL for op in self._interpreter._get_ops_details())

    def one(self, row: NDArray[Any]) -> NDArray[Any]:
        """The output of one run."""
        described = self._interpreter.get_input_details()
        for one, values in zip(described, _apart(row, described), strict=True):
            self._interpreter.set_tensor(one["index"], values)
        self._interpreter.invoke()
        return _together([self.tensor(one["index"]) for one in self._interpreter.get_output_details()])

    def tensor(self, index: int) -> NDArray[Any]:
        """A tensor, by its index."""
        return np.asarray(self._interpreter.get_tensor(index)).copy()

    def tensors(self) -> dict[int, NDArray[Any]]:
        """Every tensor that has values."""
        found: dict[int, NDArray[Any]] = {}
        for described in self._interpreter.get_tensor_details():
            try:
                found[int(described["index"])] = self.tensor(described["index"])
            except ValueError:
                continue  # a tensor without data
        return found

    def empty(self) -> NDArray[Any]:
        """The outputs of no inputs."""
        described = self._interpreter.get_output_details()[0]
        return np.zeros((0, *described["shape"][1:]), described["dtype"])


class MicroInterpreter:
    """TensorFlow Lite Micro's interpreter with its reference kernels, as its own Python package has it."""

    def __init__(self, content: bytes, *, preserve: bool = False) -> None:
        from tflite_micro import runtime

        config = runtime.InterpreterConfig
        self._interpreter = runtime.Interpreter.from_bytes(
            content,
            arena_size=_ARENA + 10 * len(content),
            intrepreter_config=config.kPreserveAllTensors if preserve else config.kAllocationRecording,
        )
        model = runtime.convert_bytearray_to_object(content)
        self._count = len(model.subgraphs[0].tensors)
        self._inputs, self._outputs = len(model.subgraphs[0].inputs), len(model.subgraphs[0].outputs)
        own = any(tensor.isVariable for tensor in model.subgraphs[0].tensors)
        own |= any((code.customCode or b"").decode() in CUSTOM for code in model.operatorCodes)
        self.stateful = own or runtime.count_resource_variables(model) > 0

    def one(self, row: NDArray[Any]) -> NDArray[Any]:
        """The output of one run."""
        described = [self._interpreter.get_input_details(index) for index in range(self._inputs)]
        for index, values in enumerate(_apart(row, described)):
            self._interpreter.set_input(values, index)
        self._interpreter.invoke()
        return _together([np.asarray(self._interpreter.get_output(i)).copy() for i in range(self._outputs)])

    def tensor(self, index: int) -> NDArray[Any]:
        """A tensor, by its index."""
        described = self._interpreter.GetTensor(index, 0)
        return np.asarray(described["tensor_data"]).reshape(described["shape"]).copy()

    def tensors(self) -> dict[int, NDArray[Any]]:
        """Every tensor that has values."""
        return {index: self.tensor(index) for index in range(self._count)}

    def empty(self) -> NDArray[Any]:
        """The outputs of no inputs."""
        described = self._interpreter.get_output_details(0)
        return np.zeros((0, *described["shape"][1:]), described["dtype"])


KINDS: Mapping[str, Callable[..., InterpretedModel]] = {"litert": LiteRT, "tflm": MicroInterpreter}


def _apart(row: NDArray[Any], described: list[dict[str, Any]]) -> list[NDArray[Any]]:
    """The value of each input, in its shape."""
    if len(described) == 1:
        return [_fit(row, described[0])]
    kinds = [([int(size) for size in one["shape"]], np.dtype(one["dtype"])) for one in described]
    return unpack(row, kinds)


def _together(outputs: list[NDArray[Any]]) -> NDArray[Any]:
    """One output as it is; several packed."""
    return outputs[0] if len(outputs) == 1 else pack(outputs)


def _fit(row: NDArray[Any], described: dict[str, Any]) -> NDArray[Any]:
    """The row in the input's shape."""
    if row.dtype != described["dtype"]:
        raise ValueError(f"the input is {np.dtype(described['dtype']).name}, not {row.dtype}")
    return row.reshape(described["shape"])


class Answers:
    """What is done for each message."""

    def __init__(self, kind: str) -> None:
        self._kind = KINDS[kind]
        self._content = b""

    def load(self, content: bytes) -> None:
        """Another model; raises what the interpreter raises."""
        self._content = content
        self._fresh()

    def _fresh(self, *, preserve: bool = False) -> InterpretedModel:
        return self._kind(self._content, preserve=preserve)

    def run(self, rows: NDArray[Any], *, sequence: bool) -> NDArray[Any]:
        """Outputs, [n, ...]."""
        model = self._fresh()
        outputs: list[NDArray[Any]] = []
        for row in rows:
            if model.stateful and not sequence and outputs:
                model = self._fresh()
            outputs.append(model.one(row))
        if not outputs:
            return model.empty()
        stacked = np.stack(outputs)
        return stacked[:, 0] if stacked.ndim > 1 and stacked.shape[1] == 1 else stacked

    def tensors(self, row: NDArray[Any]) -> list[NDArray[Any]]:
        """Their indices, and each."""
        model = self._fresh(preserve=True)
        model.one(row)
        found = model.tensors()
        return [np.array(list(found), np.int64), *found.values()]

    def some(self, rows: NDArray[Any], indices: NDArray[np.int64], *, sequence: bool) -> list[NDArray[Any]]:
        """The tensors of these indices, each [n, ...]."""
        model = self._fresh(preserve=True)
        found: list[list[NDArray[Any]]] = [[] for _ in indices]
        for place, row in enumerate(rows):
            if model.stateful and not sequence and place:
                model = self._fresh(preserve=True)
            model.one(row)
            for list_, index in zip(found, indices, strict=True):
                list_.append(model.tensor(int(index)))
        return [np.stack(values) for values in found]


def main() -> int:
    """The loop: one answer a message, until the parent closes the pipe."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what an interpreter prints must not get between the answers
    answers = Answers(sys.argv[1])
    while True:
        try:
            command, _, arrays = receive(sys.stdin.buffer)
        except EOFError:
            return 0
        answer: list[NDArray[Any]] = []
        try:
            if command == "load":
                answers.load(arrays[0].tobytes())
            elif command in ("some", "some in sequence"):
                answer = answers.some(*arrays, sequence=command == "some in sequence")
            elif command in ("run", "sequence"):
                answer = [answers.run(arrays[0], sequence=command == "sequence")]
            else:
                answer = answers.tensors(arrays[0])
            send(channel, "ok", "", answer)
        except (ValueError, RuntimeError, OSError) as error:
            send(channel, "error", str(error), [])


if __name__ == "__main__":
    sys.exit(main())
