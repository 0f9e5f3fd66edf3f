"""The reference: LiteRT's interpreter with its reference kernels, in a process of its own.

BUILTIN_REF kernels compute the bits of TensorFlow Lite Micro's reference kernels (docs/exactness.md); the
interpreter's default kernels do not. A process of its own, because a model that the interpreter does not
survive must not end ours.
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

TIMEOUT = 60  # seconds to wait for a child that was told to end


class OracleError(Exception):
    """The interpreter refused the model or died; the message names the model."""


class Oracle:
    """A model in the reference interpreter: `with Oracle(path) as oracle: outputs = oracle.run(inputs)`."""

    def __init__(self, model: Path) -> None:
        self.model = model
        self._child = subprocess.Popen(
            [sys.executable, "-m", "workbench.oracle"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=Path(__file__).resolve().parent.parent,
        )
        try:
            self._ask("load", str(model))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Oracle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process."""
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            if stream is not None:
                stream.close()
        try:
            self._child.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def load(self, model: Path) -> None:
        """Another model in the same process."""
        self.model = model
        self._ask("load", str(model))

    def run(self, inputs: NDArray[Any], *, sequence: bool = False) -> NDArray[Any]:
        """Outputs for inputs with the batch on axis 0 (each row one run of the model's batch of 1).

        sequence: keeps the model's variables between the rows; otherwise each row starts with fresh ones.
        """
        (outputs,) = self._ask("sequence" if sequence else "run", "", [inputs])
        return outputs

    def tensors(self, input_: NDArray[Any]) -> dict[int, NDArray[Any]]:
        """Every tensor, by index, after one run on one input without the batch axis."""
        arrays = self._ask("tensors", "", [input_])
        return {int(index): array for index, array in zip(arrays[0], arrays[1:], strict=True)}

    def _ask(self, command: str, text: str, arrays: list[NDArray[Any]] | None = None) -> list[NDArray[Any]]:
        stdin, stdout = self._child.stdin, self._child.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            _send(stdin, command, text, arrays or [])
            status, text, answer = _receive(stdout)
        except (BrokenPipeError, EOFError):
            raise OracleError(f"{self.model}: the reference interpreter {self._end()}") from None
        if status != "ok":
            raise OracleError(f"{self.model}: the reference interpreter refuses: {text}")
        return answer

    def _end(self) -> str:
        """How the child ended, in words."""
        try:
            code = self._child.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            return "does not answer"
        said = self._child.stderr.read().decode("utf-8", "replace").strip() if self._child.stderr else ""
        words = said.splitlines()[-1] if said else "without a word"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}: {words}"
        return f"ended with exit code {code}: {words}"


def _send(stream: IO[bytes], head: str, text: str, arrays: list[NDArray[Any]]) -> None:
    """One message: two texts and arrays in NumPy's own format, each with its length."""
    parts = [head.encode(), text.encode()]
    for array in arrays:
        described = f"{array.dtype.str} {' '.join(str(size) for size in array.shape)}".encode()
        parts += [described, np.ascontiguousarray(array).tobytes()]
    stream.write(struct.pack("<I", len(parts)))
    for part in parts:
        stream.write(struct.pack("<Q", len(part)))
        stream.write(part)
    stream.flush()


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError
    return data


def _receive(stream: IO[bytes]) -> tuple[str, str, list[NDArray[Any]]]:
    (count,) = struct.unpack("<I", _exactly(stream, 4))
    parts = [_exactly(stream, struct.unpack("<Q", _exactly(stream, 8))[0]) for _ in range(count)]
    arrays = []
    for described, data in zip(parts[2::2], parts[3::2], strict=True):
        dtype, *shape = described.decode().split(" ")
        arrays.append(np.frombuffer(data, dtype).reshape([int(size) for size in shape if size]))
    return parts[0].decode(), parts[1].decode(), arrays


class _Interpreter:
    """The child's side: one model loaded."""

    def __init__(self, model: str) -> None:
        self.model = model
        self._kept: dict[bool, Any] = {}

    def _fresh(self, keep_all: bool) -> Any:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        interpreter = Interpreter(
            self.model,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=keep_all,
        )
        interpreter.allocate_tensors()
        return interpreter

    def _one(self, interpreter: Any, row: NDArray[Any]) -> NDArray[Any]:
        described = interpreter.get_input_details()[0]
        values = row.reshape(described["shape"])
        if values.dtype != described["dtype"]:
            raise ValueError(f"the input is {described['dtype'].__name__}, not {values.dtype}")
        interpreter.set_tensor(described["index"], values)
        interpreter.invoke()
        output = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        return np.asarray(output).copy()

    def run(self, rows: NDArray[Any], sequence: bool) -> NDArray[Any]:
        interpreter = self._fresh(False)
        stateful = any(op["op_name"] == "VAR_HANDLE" for op in interpreter._get_ops_details())
        outputs: list[NDArray[Any]] = []
        for row in rows:
            if stateful and not sequence and outputs:
                interpreter = self._fresh(False)
            outputs.append(self._one(interpreter, row))
        if not outputs:
            described = interpreter.get_output_details()[0]
            return np.zeros((0, *described["shape"][1:]), described["dtype"])
        stacked = np.stack(outputs)
        return stacked[:, 0] if stacked.ndim > 1 and stacked.shape[1] == 1 else stacked

    def tensors(self, row: NDArray[Any]) -> list[NDArray[Any]]:
        interpreter = self._fresh(True)
        self._one(interpreter, row)
        found: dict[int, NDArray[Any]] = {}
        for described in interpreter.get_tensor_details():
            try:
                found[int(described["index"])] = np.asarray(interpreter.get_tensor(described["index"])).copy()
            except ValueError:
                continue  # a tensor without data
        return [np.array(list(found), np.int64), *found.values()]


def main() -> int:
    """The child's loop: one answer a message, until the parent closes the pipe."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the interpreter prints must not get between the answers
    interpreter: _Interpreter | None = None
    while True:
        try:
            command, text, arrays = _receive(sys.stdin.buffer)
        except EOFError:
            return 0
        answer: list[NDArray[Any]] = []
        try:
            if command == "load":
                interpreter = _Interpreter(text)
                interpreter._fresh(False)
            elif interpreter is not None and command in ("run", "sequence"):
                answer = [interpreter.run(arrays[0], command == "sequence")]
            elif interpreter is not None:
                answer = interpreter.tensors(arrays[0])
            _send(answers, "ok", "", answer)
        except (ValueError, RuntimeError, OSError) as error:
            _send(answers, "error", str(error), [])


if __name__ == "__main__":
    sys.exit(main())
