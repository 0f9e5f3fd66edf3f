# SPDX-License-Identifier: Apache-2.0
"""Who works on many recordings gives what this process alone would give, in the same order."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError, UserErrors
from codegen.common.paths import ROOT
from tests.support.cli import earshot, here, refused
from workbench import workers as module
from workbench.audio.synthesize import write_session
from workbench.commands import worker
from workbench.training.evaluation import vector_pairs
from workbench.training.features import Work, vectors
from workbench.training.pieces import Piece, Recording
from workbench.workers import Cores, Here, Opened
from workbench.workers.cluster import _forget, packed, work

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


def test_of_long_recordings_few_are_read_ahead() -> None:
    """At most a gigabyte of them, and one of any length; of short ones three a worker."""
    for nbytes, most in ((400_000_000, 3), (2_000_000_000, 2), (100, 13)):
        out: list[Future[int]] = []
        ahead = []

        def submit(_: object, out: list[Future[int]] = out) -> Future[int]:
            out.append(Future())
            out[-1].set_result(len(out))
            return out[-1]

        items = [SimpleNamespace(samples=SimpleNamespace(nbytes=nbytes))] * 40
        for number, made in enumerate(module.in_order(submit, items, 4)):
            assert made == number + 1
            ahead.append(len(out) - number)
        assert max(ahead) == most


def test_a_worker_with_other_sources_refuses(app: Opened) -> None:
    sent = packed(app)
    assert [name for name, _ in sent.files] == ["pipeline.toml", "model.tflite", "model.contract"]
    refusal = work(type(sent)(sent.name, sent.files, "0123"), contract_and, 1)
    assert str(refusal).splitlines() == [
        f"the worker in {ROOT} has other sources of Earshot than the command",
        "  Check out the same version on every computer of the cluster.",
    ]


def test_what_no_command_sends_any_more_is_forgotten(tmp_path: Path) -> None:
    """A worker's disk does not fill: of copies of apps those used within a week stay."""
    for name, days in (("used", 30), ("old", 8), ("young", 6)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pipeline.toml").write_text("")
        then = time.time() - days * 24 * 3600
        os.utime(tmp_path / name, (then, then))
    _forget(tmp_path / "used")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["used", "young"]


def test_a_threshold_ends_with_its_command(app: Opened) -> None:
    """A worker keeps an app open: what one command sets, the next must not find."""
    random = np.random.RandomState(1)
    samples = random.randint(-9000, 9000, 16000).astype(np.int16)
    recording = Recording(EXAMPLE / "a.wav", samples, (Piece(EXAMPLE / "a.wav", 0, 16000, 0, "a"),))
    limits = [0] * len(app.pipeline.spec.decision.labels)
    own = vector_pairs(limits, None, Opened(app.spec), recording)
    none_accepted = vector_pairs(limits, 128, app, recording)
    assert vector_pairs(limits, None, app, recording) == own != none_accepted


def test_ctrl_c_is_the_commands_alone(tmp_path: Path) -> None:
    """What works for it is silent, from its first instruction on."""
    script = tmp_path / "work.py"
    script.write_text(
        "import os, signal\n"
        "from workbench.workers import Cores, Opened\n"
        "from tests.workbench.workers.test_workers import EXAMPLE, masked\n"
        "from codegen.app.spec_file import load_spec\n"
        "if __name__ == '__main__':\n"
        "    os.sched_getaffinity = lambda _: {0, 1}\n"
        "    made = Cores(Opened(load_spec(EXAMPLE))).map(masked, range(30), 30)\n"
        "    print({*made}, signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, script], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout == "{True} False\n"


def masked(app: Opened, number: int) -> bool:
    """Whether Ctrl-C is held back from this process."""
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def ends(app: Opened, number: int) -> None:
    """As where the system ends a process for lack of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_is_killed_is_told(app: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    with pytest.raises(UserError, match="was ended from outside, perhaps for lack of memory"):
        list(Cores(app).map(ends, range(30), 30))


def test_whom_to_work_for_is_said() -> None:
    assert "no scheduler is named" in refused("worker")
    assert "a scheduler has no scheduler's address" in refused("worker", "tcp://a:1", "--scheduler")


def test_a_worker_listens_where_its_scheduler_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any code can be run through a worker's port: that of a scheduler on this computer is not for others."""
    given: list[list[str]] = []

    class Process:
        def __init__(self, words: list[str], **_: object) -> None:
            given.append(words)

        def __enter__(self) -> Process:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def wait(self) -> int:
            return 0

    monkeypatch.setattr(worker, "program", lambda name: [name])
    monkeypatch.setattr(subprocess, "Popen", Process)
    for words, host in (
        (["tcp://127.0.0.1:8786"], "127.0.0.1"),
        (["localhost:8786"], "127.0.0.1"),
        (["tcp://127.0.0.1:8786", "--host", "10.0.0.2"], "10.0.0.2"),
        (["tcp://10.0.0.7:8786"], None),
        (["--scheduler"], None),
        (["--scheduler", "--host", "127.0.0.1"], "127.0.0.1"),
    ):
        assert here("worker", *words) == 0
        own = given[-1]
        assert (own[own.index("--host") + 1] if "--host" in own else None) == host, words
        assert own[own.index("--dashboard-address") + 1] == "127.0.0.1:0"


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


class LaterFuture:
    """One of Dask whose result comes at the `at`th look."""

    def __init__(self, at: float) -> None:
        self.at, self.looks = at, 0

    def result(self, timeout: float) -> str:
        self.looks += 1
        if self.looks < self.at:
            raise TimeoutError
        return "made"


def test_a_cluster_whose_workers_leave_is_told() -> None:
    """A worker that comes back in time goes on with the work; for none at all nobody waits for ever."""
    from workbench.workers.cluster import _ALONE, _LOOKED, _Waited

    looks = int(_ALONE / _LOOKED)
    here_at: set[int] = set()
    future = LaterFuture(3 * looks)
    client = SimpleNamespace(
        nthreads=lambda: {"tcp://a": 2} if future.looks in here_at else {},
        scheduler=SimpleNamespace(address="tcp://b:8786"),
    )
    with pytest.raises(UserError, match="all workers of the cluster have left before their work was done"):
        _Waited(client, future).result()
    assert future.looks == looks
    here_at.update(range(looks - 1, 4 * looks, looks - 1))
    future = LaterFuture(3 * looks)
    assert _Waited(client, future).result() == "made"


def test_where_no_scheduler_answers_it_is_told(app: Opened) -> None:
    from workbench.workers.cluster import cluster

    with pytest.raises(UserError, match="no scheduler of Dask answers"), cluster(app, "tcp://127.0.0.1:1"):
        pass
    with pytest.raises(UserError, match="no scheduler of Dask answers"), cluster(app, "blub"):
        pass
