# SPDX-License-Identifier: Apache-2.0
"""What is refused of a file that litert-torch made: the remedy speaks of torch, not of Keras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codegen.common.errors import UserError
from codegen.passes.legalise import load_graph
from tests.models.builder import Builder

OF_TORCH = "serving_default_args_0:0"
OF_KERAS = "serving_default_input_1:0"


def in_float(model: Builder, name: str) -> None:
    """Never quantised."""
    x, y = model.tensor((1, 4), "float32", name=name), model.tensor((1, 2), "float32")
    weights = model.constant(np.ones((2, 4), np.float32))
    model.operator("FULLY_CONNECTED", [x, weights, -1], [y], {})
    model.ends([x], [y])


def half_quantised(model: Builder, name: str) -> None:
    """Weights alone."""
    x, y = model.tensor((1, 4), "int8", 0.1, 0, name=name), model.tensor((1, 2), "int8", 0.1, 0)
    model.operator("FULLY_CONNECTED", [x, model.constant(np.ones((2, 4), np.int8)), -1], [y], {})
    model.ends([x], [y])


def open_shape(model: Builder, name: str) -> None:
    """As dynamic_shapes leave it."""
    x = model.tensor((1, 1, 4), "int8", 0.1, 0, name=name, signature=(1, -1, 4))
    y = model.tensor((1, 1, 4), "int8", 0.1, 0)
    model.operator("LOGISTIC", [x], [y])
    model.ends([x], [y])


def long_index(model: Builder, name: str) -> None:
    """An index of 64 bits."""
    x, y = model.tensor((1, 4), "int8", 0.1, 0, name=name), model.tensor((1,), "int64")
    model.operator("ARG_MAX", [x, model.constant(np.array(1, np.int32))], [y], {})
    model.ends([x], [y])


@pytest.mark.parametrize(
    ("fill", "torch", "keras"),
    [
        (in_float, "recipe.static_wi8_ai8()", "tf.lite.TFLiteConverter"),
        (half_quantised, "recipe.static_wi8_ai8()", "convert the model again with full int8 quantisation"),
        (open_shape, "litert_torch.convert(model, (torch.zeros(1, 15, 20),))", "keras.Input"),
        (long_index, "end the net with the scores", "tf.argmax"),
    ],
)
def test_each_in_its_own_words(
    tmp_path: Path, fill: Callable[[Builder, str], None], torch: str, keras: str
) -> None:
    said = {}
    for name in (OF_TORCH, OF_KERAS):
        model = Builder()
        fill(model, name)
        path = tmp_path / "model.tflite"
        path.write_bytes(model.bytes())
        with pytest.raises(UserError) as error:
            load_graph(path)
        said[name] = str(error.value)
    assert torch in said[OF_TORCH]
    assert "keras" not in said[OF_TORCH]
    assert "tf." not in said[OF_TORCH]
    assert keras in said[OF_KERAS]
    assert "torch" not in said[OF_KERAS]
