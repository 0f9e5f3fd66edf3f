# SPDX-License-Identifier: Apache-2.0
"""What is left of a training that ends, or fails, after its last epoch."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.training import run_trainer

NETWORK = """
import keras

def network(shape, classes):
    source = keras.Input((*shape, 1))
    tensor = keras.layers.Reshape(shape)(source)
    tensor = keras.layers.Conv1D(4, 1)(tensor)
    frozen = keras.layers.Dense(4)
    tensor = frozen(tensor)
    frozen.trainable = False
    tensor = keras.layers.MultiHeadAttention(1, 4)(tensor, tensor)
    return keras.Model(source, keras.layers.Dense(classes)(keras.layers.Flatten()(tensor)))
"""

SCRIPT = """
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace as Names
import numpy as np
from codegen.app.spec import Layout
from workbench.training import fit, train, unfinished
from workbench.training.features import Vectors
from workbench.training.kinds import Network
from workbench.training.recipe import Augmentation, Fit, Recipe

folder = Path(sys.argv[1])
unfinished.Unfinished.__init__.__defaults__ = (folder / "unfinished",)
train.LOSS = -2.0  # every network is fine-tuned
random = np.random.RandomState(1)
values = random.randint(0, 256, (90, 40)).astype(np.uint8)
sets = {
    name: Names(pieces=(), vectors=lambda *_: Vectors(values, np.arange(90, dtype=np.int32) % 3))
    for name in ("training", "validation")
}
decision = Names(labels=("a", "b", "c"), thresholds=(0, 0, 0))
pipeline = Names(
    spec=Names(decision=decision, cascade=Names(frames=5), front_end=Names(size=8)), sample_rate=16000
)
spec = Names(classifier=Names(offset=0, layout=Layout.FRAMES_BY_CEPSTRA))
recipe = Recipe(
    folder / "training.toml",
    augmentation=Augmentation(copies=0),
    fit=Fit(epochs=2, batch=8, fine_tune=1),
    network=Network("mlp", (), 1, 0, (4,), 0.0),
)
said = []
job = train.Job(spec, pipeline, recipe, said.append, None)
found = {}

def tried(name, job):
    said.clear()
    made = job.fit(job.network(), sets)
    kept = len([*(folder / "unfinished").glob("*.npz")])
    found[name] = [made.fitted.interrupted, made.fine_tuned, kept, [line for line in said if "epoch " in line]]
    found[name].append("\\n".join(said))
    return made

def interrupt(recipe, network, task):
    network.set_weights([0 * one for one in network.get_weights()])
    raise KeyboardInterrupt

own, train.fine_tune = train.fine_tune, interrupt
made = tried("fine-tuning", job)
assert any(one.any() for one in made.network.get_weights())  # those of before
made.done()
assert [*(folder / "unfinished").glob("*.npz")], "what was interrupted stays"
train.fine_tune = own
made = tried("again", job)
made.done()
assert not [*(folder / "unfinished").glob("*.npz")]

def second(epoch):
    raise KeyboardInterrupt

train.fine_tune = None  # is not called
tried("an epoch", replace(job, watch=lambda _: second))
train.fine_tune = own

(folder / "network.py").write_text(sys.argv[2])
recipe = replace(recipe, network=Network(file=folder / "network.py"))
job = replace(job, recipe=recipe)
tried("own", job)

def fails(*_):
    raise ValueError("no such layer\\nat a place")

train.fine_tune = fails
made = tried("a fault", replace(job, anew=True))
assert any(one.any() for one in made.network.get_weights())
print(json.dumps(found))
"""


def test_what_ends_after_the_last_epoch_goes_on_from_there(tmp_path: Path) -> None:
    found = json.loads(run_trainer(SCRIPT, str(tmp_path), NETWORK))
    interrupted, more, kept, _, said = found["fine-tuning"]
    assert (interrupted, more, kept) == (True, 0, 1)
    assert "interrupted; the network of before is kept" in said
    interrupted, _, kept, epochs, said = found["again"]
    assert (interrupted, kept) == (False, 1)
    assert not [line for line in epochs if line.startswith("epoch   ")]
    assert "going on after epoch 2 of an interrupted training" in said
    interrupted, more, kept, _, _ = found["an epoch"]
    assert (interrupted, more, kept) == (True, 0, 1)
    assert "in int8 it is " in found["own"][4]  # of any layers that a user writes
    interrupted, more, _, _, said = found["a fault"]
    assert (interrupted, more) == (False, 0)
    assert said.endswith("it cannot be fine-tuned, and stays as it is: no such layer")
