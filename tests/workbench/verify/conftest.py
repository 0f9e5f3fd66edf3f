# SPDX-License-Identifier: Apache-2.0
"""The model that the tests of a file share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models.networks import dense_only


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of one dense layer: 10 values in, 3 out."""
    return dense_only(tmp_path_factory.mktemp("model") / "dense only.tflite", 4)
