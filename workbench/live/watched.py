# SPDX-License-Identifier: Apache-2.0
"""What somebody wants to watch, and the source that it becomes: a port, a target and its sound, a session."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Spec
from codegen.common.errors import UserError
from workbench.audio.recording import Reader, read_audio
from workbench.build import build
from workbench.live.microphone import listen
from workbench.live.monitor import Monitor
from workbench.live.session_file import read_session
from workbench.live.sources import PIECE, LinkSource, PlaySource, SoundSource, Source
from workbench.progress import progress, waiting
from workbench.targets import BAUD, Microphone, QemuOptions, target_board
from workbench.targets.link import Link
from workbench.targets.pc import pc_link
from workbench.targets.qemu import qemu_link
from workbench.targets.serial_port import SerialLink


@dataclass(frozen=True)
class Wanted:
    """One of port, target and play. recordings: in place of a microphone, one after the other. microphone: of
    this computer. fast: not in the sound's own time."""

    port: str | None = None
    baud: int = BAUD
    target: str | None = None
    board: str | None = None
    recordings: tuple[Path, ...] = ()
    play: Path | None = None
    microphone: bool = False
    fast: bool = False


@dataclass(frozen=True)
class Watched:
    """What is watched. where: in words; done: no more is to come, of a source that does not end by itself."""

    source: Source
    where: str
    done: Callable[[Monitor], bool] = lambda monitor: False


def check(wanted: Wanted, *, app: bool) -> None:
    """UserError where what is wanted does not go together. app: there is one."""
    given = [wanted.port is not None, wanted.target is not None, wanted.play is not None]
    if sum(given) != 1:
        raise UserError(
            "one thing can be watched: a PORT, a --target or a --play FILE",
            remedy="Such as: earshot monitor /dev/ttyACM0",
        )
    if wanted.target is None and (wanted.microphone or wanted.recordings):
        raise UserError("--microphone and --wav need a --target", remedy="Add --target pc --app DIR.")
    if wanted.target is not None:
        if not app:
            raise UserError(f"--target {wanted.target} needs an app", remedy="Add --app DIR.")
        if wanted.microphone == bool(wanted.recordings):
            raise UserError("the target needs sound", remedy="Give either --microphone or --wav FILE.")
        if wanted.microphone and wanted.target != "pc":
            raise UserError(
                "an emulator cannot hear this computer's microphone in time",
                remedy="Use --target pc --microphone, or --target qemu --wav FILE.",
            )
    if wanted.fast and wanted.play is None and not wanted.recordings:
        raise UserError(
            "--fast goes with --wav and --play", remedy="A device has its own time: leave it out."
        )


@contextmanager
def opened(wanted: Wanted, spec: Spec | None, read: Reader) -> Iterator[Watched]:
    """What is wanted, opened, and closed after the block. spec: of the app that a target runs."""
    with tempfile.TemporaryDirectory() as folder:
        watched = _open(wanted, spec, read, Path(folder))
        try:
            yield watched
        finally:
            watched.source.close()


def _open(wanted: Wanted, spec: Spec | None, read: Reader, folder: Path) -> Watched:
    if wanted.play is not None:
        return Watched(PlaySource(iter(list(read_session(wanted.play))), fast=wanted.fast), str(wanted.play))
    if wanted.port is not None:
        link = partial(SerialLink, wanted.port, wanted.baud)
        return Watched(LinkSource(link(), link), wanted.port)
    assert spec is not None
    return _target(wanted, spec, read, folder)


def _target(wanted: Wanted, spec: Spec, read: Reader, folder: Path) -> Watched:
    """The app's image where it runs without a board, built, and its sound."""
    pipeline = spec.pipeline
    assert pipeline is not None
    rate = pipeline.audio.sample_rate
    sound = None if wanted.microphone else _sound(wanted.recordings, read, rate)
    heard = listen(rate, PIECE) if sound is None else iter([sound])
    assert wanted.target is not None
    board = target_board(wanted.target, wanted.board)
    assert board is not None
    image = build(board.name, spec).image
    if wanted.target == "pc":
        source = SoundSource(pc_link(image), heard, rate, fast=wanted.fast or wanted.microphone)
        return Watched(source, "this computer")
    assert sound is not None
    file = _raw(sound, folder)
    options = QemuOptions(Microphone(file, rate), icount=5 if wanted.fast else None)
    with waiting(f"starting the emulator with {board.name}"):
        link = qemu_link(board, image, options)
    windows = max(0, (len(sound) - pipeline.window.size) // pipeline.window.stride + 1)
    return Watched(LinkSource(link), f"{board.name} in QEMU", partial(_heard_all, windows))


@contextmanager
def recording_board(spec: Spec, recording: Path) -> Iterator[Link]:
    """The emulated board with the app's image, built, whose microphone hears the recording again and again.
    It has a time of its own: where this computer has other work, it is slower and loses nothing."""
    pipeline = spec.pipeline
    assert pipeline is not None
    rate = pipeline.audio.sample_rate
    sound = read_audio(recording, rate, options=False)
    board = target_board("qemu")
    assert board is not None
    image = build(board.name, spec).image
    with tempfile.TemporaryDirectory() as folder:
        microphone = Microphone(_raw(sound, Path(folder)), rate, endless=True)
        with closing(qemu_link(board, image, QemuOptions(microphone, icount=5, paced=True))) as link:
            yield link


def _raw(sound: NDArray[np.int16], folder: Path) -> Path:
    """The file that an emulator plays."""
    file = folder / "sound.s16le"
    file.write_bytes(sound.astype("<i2").tobytes())
    return file


def _sound(files: tuple[Path, ...], read: Reader, rate: int) -> NDArray[np.int16]:
    """All recordings, one after the other."""
    return np.concatenate([read(file, rate) for file in progress(files, len(files), "reading recordings")])


def _heard_all(windows: int, monitor: Monitor) -> bool:
    """The emulated board has worked on every window of its sound, or lost some of it."""
    view = monitor.view()
    return monitor.windows >= windows - view.lost
