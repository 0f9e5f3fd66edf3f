# SPDX-License-Identifier: Apache-2.0
"""The network of a recipe, in Keras. Only this module, zoo, fit and convert import TensorFlow."""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from codegen.common.errors import UserError
from workbench.training.kinds import Network
from workbench.training.recipe import FUNCTION
from workbench.training.zoo import zoo_network

CENTRE, SPREAD = 127.0, 32.0  # of the 8-bit features, for training; folded into the first layer afterwards
SAME = 1e-3  # of a probability: sums in another order
LINEAR = ("Conv1D", "Conv2D", "DepthwiseConv2D", "Dense")


def build_network(network: Network, shape: tuple[int, int], classes: int, seed: int) -> keras.Model:
    """float32 [batch, *shape, 1] -> logits [batch, classes]; weights drawn from `seed`, as all that
    TensorFlow draws from here on, and its sums are in the same order each time.

    UserError where the recipe names a file whose function makes no such network.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    if network.file is not None:
        return _from_file(network.file, shape, classes)
    return zoo_network(network, shape, classes)


def _from_file(file: Path, shape: tuple[int, int], classes: int) -> keras.Model:
    """What the file's network(shape, classes) makes."""
    model = _called(file, shape, classes)
    if not isinstance(model, keras.Model):
        raise UserError(f"{FUNCTION}() gave {type(model).__name__}, not a keras.Model", file=file)
    if not getattr(model, "inputs", None):
        raise UserError(
            "the network has no defined input",
            file=file,
            remedy="Begin with keras.Input((*shape, 1)); a subclass of keras.Model cannot be taken.",
        )
    taken, given = (None, *shape, 1), (None, classes)
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        ends = f"{len(model.inputs)} inputs and {len(model.outputs)} outputs"
        raise UserError(f"the network has {ends}; one of each is allowed", file=file)
    if model.input_shape != taken or model.output_shape != given:
        raise UserError(
            f"the network takes {model.input_shape} and gives {model.output_shape}; "
            f"{taken} and {given} are wanted",
            file=file,
            remedy="Begin with keras.Input((*shape, 1)), end with keras.layers.Dense(classes): no softmax.",
        )
    first = _first_layer(model)
    if type(first).__name__ not in LINEAR or not first.use_bias:
        kind = type(first).__name__
        raise UserError(
            f"the first layer with weights is {kind}, which cannot take over how features are centred",
            file=file,
            remedy=f"Begin with one of {', '.join(LINEAR)}, with a bias.",
        )
    _check_fold(model, file)
    return model


def _check_fold(model: keras.Model, file: Path) -> None:
    """The input goes into the first layer with weights as it is, and nowhere else: what is converted is then
    what was trained. UserError where the two differ by number, or Keras cannot copy the network."""
    weights = model.get_weights()
    model.set_weights([array + 0.01 for array in weights])  # no bias is 0
    values = np.random.RandomState(0).randint(0, 256, (16, *model.input_shape[1:])).astype(np.float32)
    try:
        for offset in (0, int(CENTRE)):
            trained = model.predict((values - centre_of(model, offset)) / SPREAD, verbose=0)
            trained = np.exp(trained - trained.max(axis=1, keepdims=True))
            trained /= trained.sum(axis=1, keepdims=True)
            converted = with_scores(model, offset).predict(values - offset, verbose=0)
            if float(np.abs(converted - trained).max()) > SAME:
                raise UserError(
                    "its input goes elsewhere than into the first layer with weights, which centres features",
                    file=file,
                    remedy="Let one layer take the input, with nothing but Reshape or Permute before it.",
                )
    except (TypeError, ValueError) as error:
        what = f"Keras cannot copy the network: {error}".splitlines()[0]
        raise UserError(what, file=file) from error
    model.set_weights(weights)


def _called(file: Path, shape: tuple[int, int], classes: int) -> Any:
    """Runs the file. UserError with the line that failed."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        function: Callable[[tuple[int, int], int], Any] | None = getattr(module, FUNCTION, None)
        if function is None:
            raise UserError(
                f"has no function {FUNCTION}",
                file=file,
                remedy=f"Write def {FUNCTION}(shape, classes): it returns a keras.Model.",
            )
        return function(shape, classes)
    except UserError:
        raise
    except Exception as error:  # whatever a user's own code raises
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)
        ]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UserError(what, file=file, place=f"line {line}" if line else None) from error


def _first_layer(model: keras.Model) -> Any:
    return next((layer for layer in model.layers if layer.get_weights()), model.layers[-1])


def centre_of(model: keras.Model, offset: int) -> float:
    """The feature that the network sees as 0.

    A layer that pads sees zeros at the edges, where the converted network sees features of `offset`. Only
    without padding can its bias take over another centre.
    """
    padding = getattr(_first_layer(model), "padding", "valid")
    pads = any(type(layer).__name__.startswith("ZeroPadding") for layer in model.layers)
    return CENTRE if padding == "valid" and not pads else float(offset)


def with_scores(model: keras.Model, offset: int, *, rounded: bool = False) -> keras.Model:
    """The trained network as it is converted: takes feature - offset unscaled, gives probabilities.

    Training saw (feature - centre_of()) / SPREAD. Both differ by a factor and a constant, which the first
    layer with weights can take over exactly. rounded: the constant is that of the kernel as int8 has it, so
    that what the kernel loses by its rounding is lost around the features' centre, and not around 0.
    """
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    first = _first_layer(copy)
    kernel, bias = first.get_weights()
    axes = tuple(range(kernel.ndim - (2 if type(first).__name__ == "DepthwiseConv2D" else 1)))
    moved = (offset - centre_of(model, offset)) / SPREAD
    summed = (in_int8(kernel, axes) if rounded else kernel).sum(axis=axes)
    folded = [kernel / SPREAD, bias + (summed * moved).reshape(bias.shape)]
    first.set_weights([np.asarray(array, np.float32) for array in folded])
    return keras.Model(copy.inputs, keras.layers.Softmax(name="scores")(copy.outputs[0]))


def in_int8(kernel: NDArray[np.float32], axes: tuple[int, ...]) -> NDArray[np.float32]:
    """A kernel as the converter rounds it: -127..127 steps for each output channel. axes: those of a channel
    (https://ai.google.dev/edge/litert/models/quantization_spec)."""
    step = np.maximum(np.abs(kernel).max(axis=axes, keepdims=True) / 127, 1e-12)
    return np.asarray(np.rint(kernel / step) * step, np.float32)
