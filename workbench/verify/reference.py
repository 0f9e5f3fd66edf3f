# SPDX-License-Identifier: Apache-2.0
"""The reference that the generated C is compared with: an interpreter in a process of its own.

Two there are (docs/exactness.md says where they differ): LiteRT's with its reference kernels, and that of
TensorFlow Lite Micro, whose package gets an environment of its own when it is first asked for. A process of
its own, because a model that an interpreter does not survive must not end ours.
"""

from __future__ import annotations

import contextlib
import platform
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.common.reference import Reference
from toolbox.environment import make
from workbench.verify.messages import receive, send

TIMEOUT = 60  # seconds to wait for a child that was told to end
_TFLM = ".venv-tflm"


class NoReferenceError(Exception):
    """The interpreter refused the model or died; the message names the model."""


def interpreter_python(reference: Reference) -> Path:
    """The Python whose environment has the reference's package; made where it is not there yet.

    UserError where it cannot be: the package of TensorFlow Lite Micro is for Linux on x86-64.
    """
    if reference is Reference.LITERT:
        return Path(sys.executable)
    try:
        make(ROOT / _TFLM, ROOT / "requirements/tflm.lock")
    except UserError as error:
        here = f"{platform.system()} on {platform.machine()}"
        remedy = f"The package is made for Linux on x86-64; this is {here}. Elsewhere compare with litert."
        raise UserError(error.what, remedy=remedy) from None
    return ROOT / _TFLM / "bin/python"


class ReferenceInterpreter:
    """A model in a process of its own: `with ReferenceInterpreter(path) as model: model.run(inputs)`."""

    def __init__(
        self, model: Path, reference: Reference = Reference.LITERT, content: bytes | None = None
    ) -> None:
        """content: the file's, where it has been read; `model` then only names it in messages"""
        self.model = model
        # Not a pipe: one that nobody reads would fill up and stop the child.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self._child = subprocess.Popen(
            [interpreter_python(reference), "-m", "workbench.verify.reference_interpreter", reference.value],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            cwd=ROOT,
        )
        try:
            self.load(model, content)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> ReferenceInterpreter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process."""
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # it has died with something unread
                    stream.close()
        try:
            self._child.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._said.close()

    def load(self, model: Path, content: bytes | None = None) -> None:
        """Another model in the same process."""
        self.model = model
        data = model.read_bytes() if content is None else content
        self._ask("load", "", [np.frombuffer(data, np.uint8)])

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

    def some(self, inputs: NDArray[Any], indices: list[int], *, sequence: bool = False) -> list[NDArray[Any]]:
        """The tensors of these indices, each [n, *its shape], for inputs as in run()."""
        command = "some in sequence" if sequence else "some"
        return self._ask(command, "", [inputs, np.array(indices, np.int64)])

    def _ask(self, command: str, text: str, arrays: list[NDArray[Any]] | None = None) -> list[NDArray[Any]]:
        stdin, stdout = self._child.stdin, self._child.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            send(stdin, command, text, arrays or [])
            status, text, answer = receive(stdout)
        except (BrokenPipeError, EOFError):
            raise NoReferenceError(f"{self.model}: the reference interpreter {self._end()}") from None
        if status != "ok":
            raise NoReferenceError(f"{self.model}: the reference interpreter refuses: {text}")
        return answer

    def _end(self) -> str:
        """How the child ended, in words."""
        try:
            code = self._child.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            return "does not answer"
        self._said.seek(0)
        said = self._said.read().decode("utf-8", "replace").strip()
        words = said.splitlines()[-1] if said else "without a word"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}: {words}"
        return f"ended with exit code {code}: {words}"
