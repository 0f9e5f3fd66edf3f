# SPDX-License-Identifier: Apache-2.0
"""MLCommons' own runner over an image: its code as it is, its folders and its list of devices from here."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from workbench.mlperf.dataset import LABELS, read_stimuli
from workbench.mlperf.pseudo_terminal import pseudo_terminal
from workbench.mlperf.surroundings import PRODUCT, VENDOR
from workbench.targets.link import Link

_TESTS = {"a": "tests_accuracy.yaml", "p": "tests_performance.yaml"}
_DEVICES = f"""\
- name: earshot
  type: dut
  baud: 115200
  usb:
    {VENDOR:#06x}: {PRODUCT:#06x}
"""


@dataclass(frozen=True)
class Session:
    """What a run of the runner left. folder: with its log.txt, results.txt and results.json"""

    folder: Path
    log: str


def checkout(folder: Path) -> Path:
    """The folder of a checkout of mlcommons/tiny, whole. UserError where it is none."""
    if not _program(folder).is_file():
        raise UserError(f"has no {_program(Path())}: it is no checkout of mlcommons/tiny", file=folder)
    return folder.resolve()


def run_official(
    link: Link,
    tiny: Path,
    dataset: str,
    stimuli: Path,
    folder: Path,
    *,
    mode: str = "a",
    count: int | None = None,
) -> Session:
    """Runs a test of the benchmark in `folder`, which gets what the runner writes.

    tiny: the checkout; dataset: what the runner calls the stimuli, "kws01" and so on; stimuli: the folder
    with y_labels.csv, of which the first `count` are taken; mode: "a", accuracy, or "p", performance.
    UserError: the runner ended with an error, or left no results; with its last words. Also, before anything
    is written, where the links to the stimuli would replace files.
    """
    folder = folder.resolve()  # the runner works in it
    folder.mkdir(parents=True, exist_ok=True)
    _write_stimuli(stimuli, folder / "datasets" / dataset, count)
    devices = folder / "devices.yaml"
    devices.write_text(_DEVICES)
    words = ["-d", str(devices), "-t", str(_program(tiny).with_name(_TESTS[mode]))]
    words += ["-s", str(folder / "datasets"), "-m", mode]
    before = set((folder / "sessions").glob("*/results.txt"))
    done = _run(link, _program(tiny), words, folder)
    sessions = sorted(set((folder / "sessions").glob("*/results.txt")) - before)
    if done.returncode != 0 or not sessions:
        last = "\n".join(done.stdout.strip().splitlines()[-12:])
        raise UserError(f"the runner ended without results (exit code {done.returncode}):\n{last}", file=tiny)
    return Session(sessions[-1].parent, done.stdout)


def run_streaming(link: Link, tiny: Path, recording: Path, folder: Path) -> Path:
    """The driver of the streaming test sends a recording, a stride of 512 samples at a time, 16 kHz.

    Returns the .npz that it wrote: `specgram`, int16[n, features], and `activations`, int16[n, classes].
    UserError: it ended with an error; with its last words.
    """
    folder = folder.resolve()  # the driver works in it
    folder.mkdir(parents=True, exist_ok=True)
    found = folder / "specgram.npz"
    words = ["--wav_file", str(recording.resolve()), "--specfile", str(found)]
    done = _run(link, _program(tiny).with_name("stream_wav_uart.py"), words, folder)
    if done.returncode != 0:
        last = "\n".join(done.stdout.strip().splitlines()[-12:])
        raise UserError(f"the streaming test's driver ended with an error:\n{last}", file=tiny)
    return found


def _run(link: Link, program: Path, words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """A program of the checkout in the folder where it may write, with the image as its serial port."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    with pseudo_terminal(link) as device:
        return subprocess.run(
            [sys.executable, "-m", "workbench.mlperf.surroundings", device, str(program), *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path, "MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )


def _program(tiny: Path) -> Path:
    return tiny / "benchmark" / "runner" / "main.py"


def _write_stimuli(source: Path, target: Path, count: int | None) -> None:
    """A folder of links to the first stimuli, with their labels. UserError, before anything is written, where
    files that are no links lie there: they may be all that there is of them."""
    stimuli = read_stimuli(source)[:count]
    links = {target / stimulus.file.name: stimulus.file.resolve() for stimulus in stimuli}
    own = [link for link in links if link.exists() and not link.is_symlink()]
    if source.resolve() == target.resolve() or own:
        raise UserError(
            "holds stimuli, which the runner's links would replace",
            file=target,
            remedy="Name another folder for the run: -o kws_run.",
        )
    target.mkdir(parents=True, exist_ok=True)
    rows = (source / LABELS).read_text(encoding="utf-8").splitlines()
    chosen = [row for row in rows if row.strip()][: len(stimuli)]
    (target / LABELS).unlink(missing_ok=True)  # a link would be written through
    (target / LABELS).write_text("\n".join(chosen) + "\n", encoding="utf-8")
    for link, stimulus in links.items():
        link.unlink(missing_ok=True)
        link.symlink_to(stimulus)
