# SPDX-License-Identifier: Apache-2.0
"""Work on a Dask cluster: the app travels, and is built by each worker's own checkout of the same sources."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from codegen.app.spec_file import FILE_NAME, load_spec
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from toolbox import environment
from workbench.host.model_app import write_whole
from workbench.workers import Opened, in_order

ENVIRONMENT, LOCK = ".venv-cluster", "cluster"
_REACHED = 20.0  # seconds for a scheduler to answer
_SOURCES = ("codegen", "firmware", "templates", "workbench")  # what a result depends on
_MOST = 4  # apps that a worker keeps open
_KEPT = 7 * 24 * 3600  # seconds that an app's copy stays on a worker's disk without being used
_LOOKED = 2.0  # seconds between looks whether anybody works
_ALONE = 60.0  # seconds without any worker; one that is started anew is back by then

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Packed:
    """An app as it travels: the files that it consists of, by their names in its folder."""

    name: str
    files: tuple[tuple[str, bytes], ...]
    sources: str  # hash of the sources that it was packed by


def packed(app: Opened) -> Packed:
    """An app's pipeline.toml and models."""
    folder = app.spec.file.parent
    models = [one.classifier.model for one in app.spec.members]
    for model in models:
        if not model.is_relative_to(folder):
            raise UserError(
                f"the model {model} lies outside the app's folder, and only that travels to a cluster",
                file=app.spec.file,
                remedy="Move it into the folder.",
            )
    files = dict.fromkeys([app.spec.file, *models, *(model.with_suffix(".contract") for model in models)])
    return Packed(
        folder.name,
        tuple(
            (str(file.relative_to(folder)) if file != app.spec.file else FILE_NAME, file.read_bytes())
            for file in files
            if file.is_file()
        ),
        sources(),
    )


@cache
def sources() -> str:
    """A hash of what computes results here."""
    made = hashlib.sha256()
    for folder in _SOURCES:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                made.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return made.hexdigest()


@lru_cache(_MOST)
def opened(app: Packed) -> Opened:
    """A worker's own copy of an app, built by its own checkout."""
    if app.sources != sources():
        raise UserError(
            f"the worker in {ROOT} has other sources of Earshot than the command",
            remedy="Check out the same version on every computer of the cluster.",
        )
    digest = hashlib.sha256(repr(app).encode()).hexdigest()[:16]
    folder = ROOT / "build" / "workers" / digest / app.name
    for name, content in app.files:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.is_file() or file.read_bytes() != content:
            write_whole(file, content)
    _forget(folder.parent)
    return Opened(load_spec(folder))


def _forget(used: Path) -> None:
    """Apps that no command has sent for a week are gone; `used` is needed now."""
    os.utime(used)
    for other in used.parent.iterdir():
        with suppress(FileNotFoundError):  # another worker has done it
            if time.time() - other.stat().st_mtime > _KEPT:
                shutil.rmtree(other, ignore_errors=True)


def work(app: Packed, task: Callable[[Opened, Item], Result], item: Item) -> Result | UserError:
    """On a worker. What is wrong with the input comes back as a value: Dask logs what is raised."""
    try:
        return task(opened(app), item)
    except UserError as error:
        return error


class Cluster:
    """The workers of a Dask cluster."""

    def __init__(self, client: Any, app: Packed) -> None:
        self._client, self._app = client, app

    def map(
        self, task: Callable[[Opened, Item], Result], items: Iterable[Item], count: int
    ) -> Iterator[Result]:
        """See Workers."""
        from distributed import CancelledError, KilledWorker
        from distributed.comm import CommClosedError

        client = self._client

        def submit(item: Item) -> Any:
            return _Waited(
                client, client.submit(work, app, own, client.scatter(item, hash=False), pure=False)
            )

        try:
            app, own = client.scatter([self._app, task], broadcast=True, hash=False)
            for made in in_order(submit, items, max(1, sum(client.nthreads().values()))):
                if isinstance(made, UserError):
                    raise made
                yield made
        except TimeoutError:  # of what is sent, where nobody is there to take it
            raise _left(client) from None
        except (CancelledError, CommClosedError, KilledWorker) as error:
            raise UserError(
                f"the cluster's scheduler or a worker ended before its work: {_line(error)}",
                remedy="The terminals of `earshot worker` say more.",
            ) from None


@dataclass(frozen=True, eq=False)
class _Waited:
    """A result that comes while anybody works for it: Dask itself waits for a worker for ever."""

    client: Any
    future: Any  # of Dask

    def result(self) -> Any:
        """UserError where no worker has been there for a minute."""
        alone = 0.0
        while True:
            try:
                return self.future.result(timeout=_LOOKED)
            except TimeoutError:
                alone = 0.0 if self.client.nthreads() else alone + _LOOKED
            if alone >= _ALONE:
                raise _left(self.client)


def _left(client: Any) -> UserError:
    return UserError(
        "all workers of the cluster have left before their work was done",
        file=client.scheduler.address,
        remedy=f"Start some (earshot worker {client.scheduler.address}), then give the same command again.",
    )


@contextmanager
def cluster(app: Opened, address: str) -> Iterator[Cluster]:
    """UserError where no scheduler answers at this address, or no worker is there."""
    find_dask()
    from distributed import Client

    try:
        client = Client(address, timeout=_REACHED, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise UserError(
            f"no scheduler of Dask answers: {_line(error)}",
            file=address,
            remedy="Name one that runs: tcp://HOST:8786. `earshot worker --help` says how to start them.",
        ) from None
    try:
        if not client.nthreads():
            raise UserError(
                "the scheduler has no workers", file=address, remedy=f"Start some: earshot worker {address}"
            )
        yield Cluster(client, packed(app))
    finally:
        with suppress(Exception):  # it is left, however that goes
            client.close()


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def find_dask() -> None:
    """Makes Dask importable, from an environment of its own, which is made where it is not there."""
    if importlib.util.find_spec("distributed") is not None:
        return
    folder = ROOT / ENVIRONMENT
    environment.make(folder, ROOT / "requirements" / f"{LOCK}.lock", over_base=True)
    sys.path.append(str(environment.packages(folder)))  # behind the own ones
    importlib.invalidate_caches()


def program(name: str) -> list[str]:
    """The command line of one of Dask's programs."""
    environment.make(ROOT / ENVIRONMENT, ROOT / "requirements" / f"{LOCK}.lock", over_base=True)
    return [str(ROOT / ENVIRONMENT / "bin" / "python"), "-m", f"distributed.cli.dask_{name}"]
