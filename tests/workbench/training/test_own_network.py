# SPDX-License-Identifier: Apache-2.0
"""[network] file: Python makes the network; what it will take on a board is said before it is trained."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError, UserErrors
from codegen.common.paths import ROOT
from tests.support.training import trainer
from toolbox.options import EXAMPLE
from workbench.training.kinds import Network
from workbench.training.on_board import on_board
from workbench.training.recipe import FILE_NAME, load_recipe
from workbench.training.stand_in import stand_in

GOOD = """
from keras import Input, Sequential, layers

def network(shape, classes):
    return Sequential([
        Input((*shape, 1)),
        layers.{first},
        layers.Conv2D(8, (3, 1), activation="relu"),
        layers.Flatten(),
        layers.Dense(classes),
    ])
"""
TWICE = """
from keras import Input, Model, layers

def network(shape, classes):
    x = Input((*shape, 1))
    both = [layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(x)) for _ in range(2)]
    return Model(x, layers.Dense(classes)(layers.Concatenate()(both)))
"""
OWN_CLASS = """
from keras import Model

class M(Model):
    pass

def network(shape, classes):
    return M()
"""
FIRST = 'Conv2D(8, (3, shape[1]), activation="relu")'


# The recipe


def test_the_file_lies_beside_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "net.py").touch()
    (tmp_path / FILE_NAME).write_text('[network]\nfile = "net.py"\n')
    assert load_recipe(tmp_path).network == Network(file=tmp_path / "net.py")


def test_a_file_and_other_keys_or_no_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('[network]\nkernel = 3\nfile = "net.py"\n')
    with pytest.raises(UserErrors) as caught:
        load_recipe(tmp_path)
    both, absent = caught.value.errors
    assert (both.place, both.what) == (
        "line 3, [network] file",
        "the file says what the network is, and so does kernel",
    )
    assert absent.what == "the file net.py is not there"
    (tmp_path / FILE_NAME).write_text('[network]\nfile = "net"\n')
    with pytest.raises(UserError, match='found "net"; the path of a Python file'):
        load_recipe(tmp_path)


# On a board


def test_the_estimate_is_near_what_is_counted() -> None:
    """The example's model, whose decisions an emulator has counted."""
    spec = load_spec(EXAMPLE)
    found = on_board(spec, spec.classifier.model.read_bytes(), EXAMPLE)
    assert found.instructions == pytest.approx(58_270, rel=0.2)
    assert found.full == pytest.approx(478_579, rel=0.2)
    assert found.constants >= 30_000
    assert found.memory == 48 + 5808  # tensors between the layers, what is kept
    assert "in full each time" not in found.text


def test_what_is_no_network_of_the_app_is_refused_by_the_users_own_file() -> None:
    file = Path("my/network.py")
    with pytest.raises(UserError) as caught:
        on_board(load_spec(EXAMPLE), stand_in((15, 21), 4), file)
    message = str(caught.value)
    assert message.startswith(f"{file}, the converted network, ")
    assert "15 frames of 20 cepstra" in message


# What Keras makes, where TensorFlow is

SCRIPT = """
import json, sys
from pathlib import Path
import numpy as np
from codegen.common.errors import UserError
from workbench.training.convert import to_int8
from workbench.training.fit import Task, logits
from workbench.training.features import Vectors
from workbench.training.kinds import Network
from workbench.training.network import build_network, centre_of, with_scores

found = []
for text in json.load(sys.stdin):
    file = Path(sys.argv[1]) / "net.py"
    file.write_text(text)
    try:
        model = build_network(Network(file=file), (15, 20), 4, 1)
    except UserError as error:
        found.append(str(error))
        continue
    for layer in model.layers:  # biases that are not 0
        layer.set_weights([w + 0.01 for w in layer.get_weights()])
    values = np.random.RandomState(0).randint(0, 256, (50, 300)).astype(np.uint8)
    given = values.reshape(-1, 15, 20, 1).astype(np.float32)
    none = Vectors(values, np.zeros(50, np.int64))
    apart = 0.0
    for offset in (0, 127):
        own = logits(model, values, Task(none, none, (15, 20), tuple("abcd"), offset))
        shares = np.exp(own - own.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        converted = with_scores(model, offset).predict(given - offset, verbose=0)
        apart = max(apart, float(np.abs(converted - shares).max()))
    size = len(to_int8(model, 0, values, (15, 20), 1))
    found.append([apart, [centre_of(model, offset) for offset in (0, 127)], size])
print(json.dumps(found))
"""


def test_networks_that_python_makes(tmp_path: Path) -> None:
    """The network as it is trained and as it is converted are one function, padded or not; what cannot be
    used is said with file and line."""
    python = trainer()
    texts = {
        "valid": GOOD.format(first=FIRST),
        "same": GOOD.format(first='Conv2D(8, 3, padding="same", activation="relu")'),
        "depthwise": GOOD.format(first="DepthwiseConv2D(3, depth_multiplier=2)"),
        "raises": GOOD.format(first="Conv2D(8, nonsense)"),
        "syntax": "def network(shape, classes:\n",
        "no function": "x = 1\n",
        "nothing": "def network(shape, classes):\n    pass\n",
        "outputs": GOOD.format(first=FIRST).replace("Dense(classes)", "Dense(classes + 1)"),
        "no bias": GOOD.format(first="Conv2D(8, 3, use_bias=False)"),
        "normalised": GOOD.format(first="BatchNormalization()"),
        "scaled": GOOD.format(first="Rescaling(0.25)"),
        "twice": TWICE,
        "no input": GOOD.format(first=FIRST).replace("Input((*shape, 1)),", ""),
        "own class": OWN_CLASS,
    }
    done = subprocess.run(
        [python, "-c", SCRIPT, str(tmp_path)],
        cwd=ROOT,
        env={
            **os.environ,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",
            "PYTHONPATH": str(ROOT),
        },
        input=json.dumps(list(texts.values())),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = dict(zip(texts, json.loads(done.stdout.splitlines()[-1]), strict=True))
    for name, centres in (("valid", [127, 127]), ("same", [0, 127]), ("depthwise", [127, 127])):
        apart, centre, size = found[name]
        assert apart < 1e-4, name
        assert centre == centres
        assert size > 1000
    file = tmp_path / "net.py"
    assert found["raises"] == f"{file}, line 7: NameError: name 'nonsense' is not defined"
    assert found["syntax"].startswith(f"{file}, line 1: SyntaxError: ")
    assert found["no function"].splitlines()[0] == f"{file}: has no function network"
    assert found["nothing"] == f"{file}: network() gave NoneType, not a keras.Model"
    assert "gives (None, 5); (None, 15, 20, 1) and (None, 4) are wanted" in found["outputs"]
    assert "is Conv2D, which cannot take over how features are centred" in found["no bias"]
    assert "is BatchNormalization, which" in found["normalised"]
    assert "its input goes elsewhere than into the first layer" in found["scaled"]
    assert "its input goes elsewhere than into the first layer" in found["twice"]
    assert "the network has no defined input" in found["no input"]
    assert "the network has no defined input" in found["own class"]
