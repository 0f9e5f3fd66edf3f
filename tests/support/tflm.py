# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite Micro's own interpreter, for tests; its environment is made by the first that asks."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from workbench.verify.reference import ReferenceInterpreter, interpreter_python


def need_tflm() -> None:
    """Skips the test where it cannot be had; on a CI machine only another system is an excuse."""
    try:
        interpreter_python(Reference.TFLM)
    except UserError as error:
        if os.environ.get("CI") and (platform.system(), platform.machine()) == ("Linux", "x86_64"):
            raise
        pytest.skip(f"TensorFlow Lite Micro's Python package cannot be installed: {error.remedy}")


def tflm_reference(model: Path) -> ReferenceInterpreter:
    """The model in that interpreter."""
    need_tflm()
    return ReferenceInterpreter(model, Reference.TFLM)
