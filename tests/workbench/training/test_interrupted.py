# SPDX-License-Identifier: Apache-2.0
"""What is left of a training that ends, or fails, after its last epoch; and several at once."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

import pytest

from codegen.app.spec import Classifier, Spec
from codegen.common.errors import UserError
from tests.support.training import run_trainer
from workbench.training import judge

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
    epochs = [line for line in said if line.startswith("epoch   ")]
    found[name] = [made.fitted.interrupted, made.fine_tuned, kept, epochs, "\\n".join(said)]
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
    interrupted, more, kept, epochs, said = found["fine-tuning"]
    assert (interrupted, more, kept, len(epochs)) == (True, 0, 1, 2)
    assert "interrupted; the network of before is kept" in said
    interrupted, _, kept, epochs, said = found["again"]
    assert (interrupted, kept) == (False, 1)
    assert epochs == []
    assert "going on after epoch 2 of an interrupted training" in said
    interrupted, more, kept, _, _ = found["an epoch"]
    assert (interrupted, more, kept) == (True, 0, 1)
    assert "in int8 it is " in found["own"][4]  # of any layers that a user writes
    interrupted, more, _, _, said = found["a fault"]
    assert (interrupted, more) == (False, 0)
    assert said.endswith("it cannot be fine-tuned, and stays as it is: no such layer")


RUNS = """
import sys
import threading
from pathlib import Path
from workbench.training.epochs import Epoch
from workbench.training.tensorboard_log import TensorBoardLog

log, before = TensorBoardLog(Path(sys.argv[1])), threading.active_count()
for number in range(5):
    log.watch(f"fold_{number}")(Epoch(1, 0.5, None, None))
print(threading.active_count() - before)
"""


def test_of_many_runs_one_is_open(tmp_path: Path) -> None:
    """A search has up to thousands, and each open one takes a thread and a file."""
    assert run_trainer(RUNS, str(tmp_path)) == "1"
    assert len([*tmp_path.glob("fold_*/*tfevents*")]) == 5


def test_a_model_is_alone_in_its_copy_of_the_app_until_it_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two trainings of one app at once: each decides with its own model."""
    origin = tmp_path / "app_features"
    origin.mkdir()
    (origin / "pipeline.toml").write_text("")
    app = Spec("app", origin / "pipeline.toml", Classifier(origin / "model.tflite"), None)

    def opened(copy: Path) -> object:
        assert (copy / "model.tflite").read_bytes() == b"new"
        with copy.with_name(f"{copy.name}.lock").open("a+") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        raise UserError("as far as this")

    monkeypatch.setattr(judge, "open_pipeline", opened)
    with pytest.raises(UserError, match="as far as this"):
        judge.decide(app, "new", b"new", None, [])
    with (tmp_path / "app_new.lock").open("a+") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
