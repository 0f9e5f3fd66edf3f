# SPDX-License-Identifier: Apache-2.0
"""What a network sees while it is fine-tuned is what its int8 file computes, and it gains by it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.training import run_trainer

NETWORK = """
import keras

def network(shape, classes):
    source = keras.Input((*shape, 1))
    tensor = keras.layers.Conv2D(8, 3)(source)
    tensor = keras.layers.ReLU()(keras.layers.BatchNormalization()(tensor))
    other = keras.layers.DepthwiseConv2D(3, padding="same", activation="relu")(tensor)
    tensor = keras.layers.MaxPooling2D()(keras.layers.Add()([tensor, other]))
    tensor = keras.layers.Dropout(0.2)(keras.layers.GlobalAveragePooling2D()(tensor))
    return keras.Model(source, keras.layers.Dense(classes)(tensor))
"""

# Ranges are those of the file: then no step may differ but by the rounding of a value between two of them.
SAME = r"""
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from workbench.training import convert
from workbench.training.fine_tune import rounding
from workbench.training.kinds import KINDS
from workbench.training.network import SPREAD, build_network, centre_of

random = np.random.RandomState(1)
networks = {name: kind.defaults for name, kind in KINDS.items()}
networks["own"] = replace(networks["cnn"], file=Path(sys.argv[1]))
MOVE = ("RESHAPE", "SHAPE", "STRIDED_SLICE", "PACK", "SOFTMAX", "DELEGATE", "MAX_POOL_2D")
found = {}
for name, network in networks.items():
    model = build_network(network, (15, 20), 4, 1)
    weights = model.get_weights()
    model.set_weights([one + 0.3 * random.rand(*one.shape) * (one.ndim == 1) for one in weights])
    values = random.randint(0, 256, (200, 300)).astype(np.uint8)
    content = convert.to_int8(model, 0, values, (15, 20), 1)
    file = Interpreter(
        model_content=content,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    file.allocate_tensors()
    tensors = {one["index"]: one for one in file.get_tensor_details()}
    made = [op["outputs"][0] for op in file._get_ops_details() if op["op_name"] not in MOVE]
    rounded, ranges = rounding(model)
    # A normalisation that stays is a product and a sum, a dilated convolution several operators: of these we
    # round the last alone.
    inner = re.compile(r"(batchnorm/mul_1|/convolution(/\w+|1))$")
    made = [index for index in made if not inner.search(tensors[index]["name"].split(";")[0])]
    assert len(ranges) == len(made), (name, len(ranges), [tensors[index]["name"] for index in made])
    for one, index in zip(ranges, made, strict=True):
        scale, zero = tensors[index]["quantization"]
        one.set((-128 - zero) * scale, (127 - zero) * scale)
    given = (values.reshape(-1, 15, 20, 1).astype(np.float32) - centre_of(model, 0)) / SPREAD
    scale, zero = tensors[made[-1]]["quantization"]
    exact = []
    for row in values:
        entry = row.astype(int).reshape(1, 15, 20, 1) - 128
        file.set_tensor(file.get_input_details()[0]["index"], entry.astype(np.int8))
        file.invoke()
        exact.append(file.get_tensor(made[-1]).ravel().astype(int) - zero)
    away = [
        np.abs(np.rint(np.asarray(one(given, training=False)) / scale) - exact) for one in (rounded, model)
    ]
    found[name] = [float(away[0].mean()), float(away[0].max()), float(away[1].mean())]
print(json.dumps(found))
"""


def test_what_is_rounded_is_what_the_file_computes(tmp_path: Path) -> None:
    """In steps of the logits. Of kinds with a rounding that is left out it is a few steps at most, and less
    than what the network in float is away."""
    file = tmp_path / "network.py"
    file.write_text(NETWORK)
    bounds = {"mlp": (0.0, 0), "own": (0.15, 1), "ds_cnn": (0.2, 1), "cnn": (0.6, 3), "tcn": (0.9, 4)}
    found = json.loads(run_trainer(SAME, str(file)))
    assert found.keys() == bounds.keys()
    for name, (mean, most, plain) in found.items():
        assert mean <= bounds[name][0], (name, mean)
        assert most <= bounds[name][1], (name, most)
        assert mean < plain, (name, mean, plain)


# A weight that meets a feature of 127 alone, the centre, decides nothing; but it makes the steps of all
# others of its channel coarse.
GAIN = """
import json
from dataclasses import replace
from pathlib import Path
import numpy as np
from workbench.training import convert, fit
from workbench.training.features import Vectors
from workbench.training.fine_tune import fine_tune
from workbench.training.kinds import Network
from workbench.training.network import build_network
from workbench.training.recipe import Fit, Recipe

random = np.random.RandomState(1)
shape, labels = (5, 8), ("a", "b", "c")
values = random.randint(0, 256, (6000, 40)).astype(np.uint8)
values[:, 0] = 127
truths = ((values - 127.5) @ random.normal(size=(40, 3))).argmax(axis=1).astype(np.int32)
learnt, watched = Vectors(values[:4000], truths[:4000]), Vectors(values[4000:], truths[4000:])
task = fit.Task(learnt, watched, shape, labels, 0)
how = Fit(epochs=12, batch=64, mix=0.0, label_smoothing=0.0, fine_tune=20)
recipe = Recipe(Path("training.toml"), fit=how)
model = build_network(Network("mlp", (), 1, 0, (12,), 0.0), shape, 3, 1)
fit.fit(recipe, model, task, lambda _: None)
kernel, *others = model.get_weights()
kernel[0] = 80 * np.abs(kernel).max(axis=0)
model.set_weights([kernel, *others])

def right(scores):
    return float((np.asarray(scores).argmax(axis=1) == truths[4000:]).mean())

def in_int8():
    content = convert.to_int8(model, 0, values[:4000], shape, 1)
    return right(convert.scores(content, values[4000:], shape, 0))

float_, before = right(fit.logits(model, values[4000:], task)), in_int8()
fine_tune(recipe, model, task)
print(json.dumps([float_, before, in_int8()]))
"""


def test_what_the_rounding_took_is_learnt_again() -> None:
    float_, before, after = json.loads(run_trainer(GAIN))
    assert float_ > 0.8
    assert before < float_ - 0.05
    assert after > (before + float_) / 2
