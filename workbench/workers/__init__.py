# SPDX-License-Identifier: Apache-2.0
"""The same work for many recordings: on this computer's cores, or on those of a cluster.

Results come in the order of the items, and are the same wherever they were computed. Nothing is faster with
processes of its own where there are a few recordings: then it is done here.
"""

from __future__ import annotations

import argparse
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol, TypeVar

from codegen.app.spec import Spec
from codegen.common.errors import UserError
from workbench.build import build
from workbench.host.features import open_pipeline
from workbench.host.host_library import HostPipeline

FEW = 24  # items; fewer are worked on here
_MOST = 1 << 30  # bytes of samples that are read ahead, of one recording where that is longer
_AHEAD = 3  # items for each worker that are read before their turn

Item = TypeVar("Item")
Result = TypeVar("Result")


class Opened:
    """An app where work is done."""

    def __init__(self, spec: Spec | None, pipeline: HostPipeline | None = None) -> None:
        """pipeline: of this app, where it is open already; without a spec it is all that there is."""
        self._spec = spec
        if pipeline is not None:
            self.pipeline = pipeline

    @property
    def spec(self) -> Spec:
        """Of the app."""
        assert self._spec is not None
        return self._spec

    @cached_property
    def pipeline(self) -> HostPipeline:
        """The firmware's own C."""
        return open_pipeline(self.spec)

    @cached_property
    def image(self) -> Path:
        """The firmware for this computer, as a program."""
        return build("pc", self.spec).image


class Workers(Protocol):
    """Whoever works."""

    def map(
        self, task: Callable[[Opened, Item], Result], items: Iterable[Item], count: int
    ) -> Iterator[Result]:
        """task(app, item) of each item, in their order. task and items are pickled: a function of a module,
        or a partial of one. count: of the items, about. What a task raises is raised here."""


class Here:
    """This process alone."""

    def __init__(self, app: Opened) -> None:
        self._app = app

    def map(
        self, task: Callable[[Opened, Item], Result], items: Iterable[Item], count: int
    ) -> Iterator[Result]:
        """See Workers."""
        return (task(self._app, item) for item in items)


class Cores:
    """This computer's cores, a process each; fewer than FEW items are worked on in this process."""

    def __init__(self, app: Opened) -> None:
        self._app = app

    def map(
        self, task: Callable[[Opened, Item], Result], items: Iterable[Item], count: int
    ) -> Iterator[Result]:
        """See Workers."""
        cores = core_count()
        if cores == 1 or count < FEW:
            yield from Here(self._app).map(task, items, count)
            return
        assert self._app.pipeline is not None  # built once, before all of them look at it
        pool = ProcessPoolExecutor(cores, get_context("spawn"), _begin, (self._app.spec,))

        def submit(item: Item) -> Future[Result]:
            # A process that it starts has Ctrl-C held back from its first instruction on.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                return pool.submit(_work, task, item)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)

        try:
            yield from in_order(submit, items, cores)
        except BrokenProcessPool:
            raise UserError(
                "a process that worked on the recordings was ended from outside, perhaps for lack of memory",
                remedy="Give it less at once: fewer cores (taskset --cpu-list 0,1), or shorter recordings.",
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def core_count() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_own: Opened | None = None  # of a process of Cores


def _begin(spec: Spec) -> None:
    global _own  # noqa: PLW0603 - a process of a pool has no other place
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command that asked for it ends it
    _own = Opened(spec)


def _work(task: Callable[[Opened, Item], Result], item: Item) -> Result:
    assert _own is not None
    return task(_own, item)


def in_order(
    submit: Callable[[Item], Future[Result]], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """Results in the order of the items, of which a few are read ahead: of long recordings fewer."""
    waiting: deque[tuple[Future[Result], int]] = deque()
    held = 0  # bytes
    for item in items:
        size = int(getattr(getattr(item, "samples", None), "nbytes", 0))
        waiting.append((submit(item), size))
        held += size
        while len(waiting) > _AHEAD * workers or (held > _MOST and len(waiting) > 1):
            made, size = waiting.popleft()
            held -= size
            yield made.result()
    while waiting:
        yield waiting.popleft()[0].result()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--scheduler."""
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="hand the work to a Dask cluster: tcp://HOST:8786 (`earshot worker --help`)",
    )


@contextmanager
def workers(app: Opened, scheduler: str | None = None) -> Iterator[Workers]:
    """This computer's cores; scheduler: or those of a Dask cluster, whose scheduler has this address.
    UserError where that cannot be reached, or where its workers have other sources."""
    if scheduler is None:
        yield Cores(app)
        return
    from workbench.workers.cluster import cluster

    with cluster(app, scheduler) as found:
        yield found
