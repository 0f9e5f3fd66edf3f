# SPDX-License-Identifier: Apache-2.0
"""The lines of a command that runs, and its end: what the pages Train and Device show."""

from __future__ import annotations

from nicegui import run, ui

from workbench.studio.job import LINES, Job

_SHOW = 0.3  # seconds


class Log:
    """A job's lines in a box, and the button that stops it."""

    def __init__(self, job: Job) -> None:
        self._job, self._told = job, 0
        self._words: tuple[str, ...] = ()
        with ui.element("div").classes("bar"):
            self._state = ui.label().classes("grow").props("role=status")
            self._stop = ui.button("Stop (Ctrl-C)", on_click=self._end).props("no-caps flat color=primary")
        self._log = ui.log(max_lines=LINES).classes("log").props('aria-label="what the command says"')
        self.show()
        ui.timer(_SHOW, self.show)

    def show(self) -> None:
        """What has come since the last look."""
        job = self._job
        if job.words != self._words or job.count < self._told:
            self._log.clear()
            self._told, self._words = 0, job.words
        fresh = job.count - self._told
        lines = list(job.lines)
        for line in lines[max(0, len(lines) - fresh) :]:
            self._log.push(line)
        self._told += fresh
        self._stop.set_enabled(job.running)
        if job.running:
            state, kind = f"{job.words[0]} runs", ""
        elif job.code is None:
            state, kind = "", ""
        else:
            state = f"{job.words[0]}: {_ended(job.code)}"
            kind = "good" if job.code == 0 else "bad"
        self._state.set_text(state)
        self._state.classes(replace=f"grow {kind}")

    async def _end(self) -> None:
        await run.io_bound(self._job.interrupt)


def _ended(code: int) -> str:
    words = {0: "done", 1: "a check failed (exit code 1)", 2: "bad input (exit code 2)", 130: "interrupted"}
    return words.get(code, f"ended with code {code}")
