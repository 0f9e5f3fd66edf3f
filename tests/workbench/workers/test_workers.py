# SPDX-License-Identifier: Apache-2.0
"""Who works on many recordings gives what this process alone would give, in the same order."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError, UserErrors
from codegen.common.paths import ROOT
from tests.support.cli import earshot, refused
from workbench import workers as module
from workbench.audio.synthesize import write_session
from workbench.training.features import Work, vectors
from workbench.workers import Cores, Here, Opened
from workbench.workers.cluster import opened, packed

EXAMPLE = ROOT / "examples" / "smart_lock"


def contract_and(app: Opened, number: int) -> tuple[str, int, int]:
    """The app's contract, twice the number, and who computed it."""
    if number == 40:
        raise UserErrors([UserError("forty", file="a.wav", remedy="Take another."), UserError("is forty")])
    return app.pipeline.contract, 2 * number, os.getpid()


@pytest.fixture(scope="module")
def app() -> Opened:
    return Opened(load_spec(EXAMPLE))


def test_cores_give_what_this_process_gives_in_order(app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    alone = [*Here(app).map(contract_and, range(30), 30)]
    made = [*Cores(app).map(contract_and, range(30), 30)]
    assert [one[:2] for one in made] == [one[:2] for one in alone]
    assert os.getpid() not in {one[2] for one in made}
    few = [*Cores(app).map(contract_and, range(30), module.FEW - 1)]
    assert few == alone


def test_what_a_task_raises_is_raised_whole(app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    with pytest.raises(UserErrors) as caught:
        list(Cores(app).map(contract_and, range(38, 44), 30))
    assert str(caught.value) == "a.wav: forty\n  Take another.\nis forty"


def test_a_worker_with_other_sources_refuses(app: Opened) -> None:
    sent = packed(app)
    assert [name for name, _ in sent.files] == ["pipeline.toml", "model.tflite", "model.contract"]
    with pytest.raises(UserError, match="has other sources of Earshot than the command"):
        opened(type(sent)(sent.name, sent.files, "0123"))


def test_whom_to_work_for_is_said() -> None:
    assert "whose worker it shall be is not said" in refused("worker")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """A scheduler with two workers on this computer, as a person starts them; Ctrl-C ends them."""
    command = [sys.executable, "-P", "-m", "workbench", "worker"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def started(*words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*command, *words], env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    running = [started("--scheduler", "--host", "127.0.0.1", "--port", "0")]
    try:
        assert running[0].stderr is not None
        address = next(
            found[0] for line in running[0].stderr if (found := re.search(r"tcp://127\.0\.0\.1:\d+", line))
        )
        running.append(started(address, "--processes", "2"))
        yield address
        for process in reversed(running):
            os.killpg(process.pid, signal.SIGINT)
            process.communicate()
            assert process.returncode == 0
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_a_cluster_decides_as_this_computer(scheduler: str, tmp_path: Path) -> None:
    labels = write_session(tmp_path / "sounds", 7, recordings=2, count=2)
    for words in (
        ("evaluate", "--app", EXAMPLE, "--labels", labels, "--threshold", "0.6"),
        ("tune", "--app", EXAMPLE, "--labels", labels, "--false-alarms", "900", "--unlabelled", "background"),
    ):
        alone = json.loads(earshot(*words, "--json").stdout)
        assert json.loads(earshot(*words, "--json", "--scheduler", scheduler).stdout) == alone, words[0]


def test_a_cluster_makes_the_same_features(scheduler: str, app: Opened, tmp_path: Path) -> None:
    from workbench.data.labels import read_labels
    from workbench.training.pieces import cut, recordings
    from workbench.training.recipe import Augmentation
    from workbench.workers import workers

    labels = write_session(tmp_path / "sounds", 7, recordings=1, count=2)
    segments = read_labels(labels, 16000)
    pipeline = app.pipeline
    pieces = cut(segments, pipeline.spec.decision.labels, 8000, 6000)
    how = Augmentation(copies=2)

    def made(place: str, work: Work | None) -> list[object]:
        found = vectors(pipeline, recordings(pieces, segments, 16000), tmp_path / place, how, 3, work=work)
        return [found.values.tolist(), found.labels.tolist()]

    with workers(app, scheduler) as cluster:
        assert made("cluster", Work(cluster, 4)) == made("alone", None)


def test_where_no_scheduler_answers_it_is_told(app: Opened) -> None:
    from workbench.workers.cluster import cluster

    with pytest.raises(UserError, match="no scheduler of Dask answers"), cluster(app, "tcp://127.0.0.1:1"):
        pass
    with pytest.raises(UserError, match="no scheduler of Dask answers"), cluster(app, "blub"):
        pass
