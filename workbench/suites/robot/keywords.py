# SPDX-License-Identifier: Apache-2.0
"""The words of the Robot suites: play sound into an image, and say what it should decide.

One library for every image: QEMU and this computer are started by it; under Renode the emulation is started
by Renode's own keywords, and this library talks to the serial line they offer (Connect To Image).
A wrong decision is reported with the stage at which the image and this computer part.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError
from workbench.audio.recording import read_audio
from workbench.protocol.lines import Decision, Error, Setting, parse_line
from workbench.suites.robot.bad_line import DAMAGES, BadBytes, BadLines
from workbench.suites.robot.first_divergence import Act, Play, Reset, Set, first_divergence
from workbench.targets import Device, open_target
from workbench.targets.link import Link
from workbench.targets.own_time import robot_clock

Samples = NDArray[np.int16]
CONNECT = 5.0  # seconds for an emulator to offer its serial line
IMPATIENT = 0.5  # seconds until an image after a bad line is asked what it has


class WrongError(AssertionError):
    """What a keyword found is not what it should be."""

    ROBOT_SUPPRESS_NAME = True


class Keywords:
    """Robot makes one for each test."""

    ROBOT_LIBRARY_SCOPE = "TEST"

    def __init__(self, pc_image: str = "") -> None:
        """pc_image: the same app's image for this computer; with it a wrong decision names its stage."""
        self._pc_image = Path(pc_image) if pc_image else None
        self._device: Device | None = None
        self._lines: list[str] = []  # decision lines since the last Play Recording
        self._rest: Samples = np.zeros(0, np.int16)  # what Play Beginning Of Recording left
        self._acts: list[Act] = []  # what was done to the image since it started
        self._settings: dict[str, int] = {}  # as it started
        self._bad: BadBytes | BadLines | None = None

    # Starting and ending

    def load_image(self, image: str, target: str, board: str = "") -> None:
        """Starts an image: ``target`` is qemu or pc, ``board`` what it was built for."""
        self.end_image()
        self._open(open_target(target, Path(image), board=board or None))

    def connect_to_image(self, port: str, renode: str = "") -> None:
        """An image that runs, or starts just now, on a serial port or behind a URL such as
        socket://localhost:4321. ``renode``: the URL of the keywords of the Renode that it runs in; how long
        it may be silent then counts in emulated time."""
        self.end_image()
        deadline = time.monotonic() + CONNECT
        while True:
            try:
                self._open(open_target(port, clock=robot_clock(renode) if renode else None))
                return
            except UserError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def free_port(self) -> int:
        """A TCP port of this computer that nobody listens on, for an emulator's serial line."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        return port

    def end_image(self) -> None:
        """Ends the image; nothing where there is none."""
        if self._device is not None:
            self._device.close()
            self._device = None

    def _open(self, device: Device) -> None:
        self._device = device
        self._acts.clear()
        self._lines.clear()
        self._settings = _settings(device)

    def boot_line_should_say(self, **values: str) -> None:
        """What the image says it is: ``app``, ``board``, ``build`` (the GNU build id), ``model``,
        ``contract``."""
        boot = self._image.boot
        said = {
            "app": boot.name,
            "board": boot.board,
            "build": boot.build,
            "model": boot.model,
            "contract": boot.contract or "",
        }
        for key, value in values.items():
            if key not in said:
                raise WrongError(f"The boot line has no {key}; it has {', '.join(said)}.")
            if said[key] != value:
                raise WrongError(f"The image says {key} {said[key]}, it should say {value}.")

    # Sound

    def play_recording(self, file: str) -> None:
        """Plays a recording to the image, which begins with everything empty. Decisions are kept."""
        self._play(self._read(file), from_scratch=True)

    def play_beginning_of_recording(self, file: str, samples: str | int) -> None:
        """As Play Recording, the first so many samples alone; Play Rest Of Recording goes on."""
        sound = self._read(file)
        self._play(sound[: int(samples)], from_scratch=True)
        self._rest = sound[int(samples) :]

    def play_rest_of_recording(self) -> None:
        """What Play Beginning Of Recording left, after it as one recording."""
        self._play(self._rest, from_scratch=False)

    def _play(self, sound: Samples, *, from_scratch: bool) -> None:
        if from_scratch:
            self._lines.clear()
        self._acts.append(Play(sound, from_scratch))
        self._lines += self._image.replay(sound, from_scratch=from_scratch)

    def _read(self, file: str) -> Samples:
        rate = self._image.boot.rate
        if rate is None:
            raise UserError("it is a bare model, which hears nothing", file=self._image.name)
        return read_audio(Path(file), rate, options=False)

    # Words to the image

    def change_setting(self, key: str, value: str | int) -> None:
        """As `set KEY VALUE` on the serial line: gate.threshold, decision.threshold, decision.votes, ..."""
        answer = self._image.command(f"set {key} {int(value)}")
        if not isinstance(answer, Setting):
            raise WrongError(f"The image does not take {key} = {value}: {answer}")
        self._acts.append(Set(key, int(value)))

    def reset_image(self) -> None:
        """As `reset` on the serial line: everything is empty, settings stay."""
        answer = self._image.command("reset")
        if isinstance(answer, Error):
            raise WrongError(f"The image does not reset: {answer}")
        self._acts.append(Reset())

    # A serial line with troubles

    def send_garbage(self, count: str | int, seed: str | int = 1) -> None:
        """So many random bytes to the image, and the end of that line."""
        self._image.send(np.random.default_rng(int(seed)).bytes(int(count)) + b"\n")
        self._image.status()

    def lose_the_host_in_the_middle_of_a_line(self) -> None:
        """Half of an audio line, and nothing more from that host; then another one comes."""
        self._image.command("replay")
        self._image.send(b"audio 0 " + b"QUJD" * 40)
        self._image.send(b"\n")  # what any host sends first
        self._image.status()

    def damage_bytes_on_the_line(self, rate: str | float, seed: str | int = 1) -> None:
        """From now on this share of the bytes sent to the image is lost, doubled or changed."""
        self._bad = BadBytes(self._image.link, int(seed), float(rate))
        self._damage(self._bad)

    def damage_lines(self, rate: str | float, *damages: str, seed: str | int = 1) -> None:
        """From now on this share of the audio lines is damaged: garbage, truncated, duplicated, reordered,
        lost; all of these where none is named."""
        unknown = [name for name in damages if name not in DAMAGES]
        if unknown:
            raise WrongError(f"There is no damage {unknown[0]}; there are {', '.join(DAMAGES)}.")
        self._bad = BadLines(self._image.link, int(seed), float(rate), damages)
        self._damage(self._bad)

    def _damage(self, link: Link) -> None:
        self._image.link = link
        self._image.retry = IMPATIENT

    # What should be

    def decisions_should_be(self, file: str) -> None:
        """The decisions are the lines of this file, byte for byte."""
        expected = Path(file).read_text(encoding="ascii").splitlines()
        if self._lines == expected:
            return
        count = min(len(self._lines), len(expected))
        at = next((i for i in range(count) if self._lines[i] != expected[i]), count)
        reported = [side[at] if at < len(side) else "nothing" for side in (expected, self._lines)]
        raise WrongError(
            f"Decision {at + 1} of {len(expected)} is wrong.\n  it should be  {reported[0]}\n"
            f"  the image has {reported[1]}{self._parting()}"
        )

    def there_should_be_no_decision(self) -> None:
        """Nothing passed the gate."""
        if self._lines:
            raise WrongError(f"There are {len(self._lines)} decisions, the first: {self._lines[0]}")

    def there_should_be_decisions(self) -> None:
        """At least one."""
        if not self._lines:
            raise WrongError("There is no decision.")

    def decisions_should_be_in_windows(self, *windows: str) -> None:
        """One in each of these windows, and no other: ``20-34`` or ``7``. Windows count from 0; of several
        models it is the first one's."""
        wanted: list[int] = []
        for word in windows:
            first, _, last = word.partition("-")
            wanted += range(int(first), int(last or first) + 1)
        found = [decision.sequence for decision in self._decisions() if decision.model_number == 0]
        if found != wanted:
            raise WrongError(f"Decisions are in windows {found}, they should be in {', '.join(windows)}.")

    def all_decisions_should_be(self, label: str, from_window: str | int = 0) -> None:
        """Of every window from ``from_window`` on; there is at least one."""
        late = [decision for decision in self._decisions() if decision.sequence >= int(from_window)]
        wrong = [decision for decision in late if decision.label != label]
        if wrong or not late:
            what = f"One is {wrong[0].label}, in window {wrong[0].sequence}" if wrong else "There is none"
            raise WrongError(f"All decisions should be {label}. {what}.")

    def no_decision_should_be(self, label: str) -> None:
        """There are decisions, and none is this."""
        wrong = [decision for decision in self._decisions() if decision.label == label]
        if wrong or not self._lines:
            raise WrongError(f"{len(wrong)} of {len(self._lines)} decisions are {label}.")

    def nothing_should_be_lost(self) -> None:
        """The image counts no sample lost, no line dropped, no window late, no received byte lost."""
        self._none("late", "dropped", "lost", "serial_lost")

    def no_sound_should_be_lost(self) -> None:
        """As Nothing Should Be Lost, but received bytes may be: a bad serial line had them sent again."""
        self._none("late", "dropped", "lost")

    def _none(self, *counters: str) -> None:
        status = self._image.status()
        wrong = {key: status[key] for key in counters if status[key]}
        if wrong:
            raise WrongError("The image counts " + ", ".join(f"{n} {key}" for key, n in wrong.items()) + ".")

    def something_should_have_been_damaged(self) -> None:
        """The bad serial line was bad."""
        if self._bad is None or not self._bad.damaged:
            raise WrongError("Nothing was damaged on the serial line.")

    # Inside

    @property
    def _image(self) -> Device:
        if self._device is None:
            raise WrongError("There is no image yet. Begin with Load Image.")
        return self._device

    def _decisions(self) -> Sequence[Decision]:
        parsed = (parse_line(line) for line in self._lines)
        return [line for line in parsed if isinstance(line, Decision)]

    def _parting(self) -> str:
        """Where this image and the one of this computer part, for the end of a message."""
        if self._pc_image is None or self._device is None:
            return ""
        with open_target("pc", self._pc_image) as pc:
            return "\n" + first_divergence(pc, self._device, self._settings, self._acts)


def _settings(device: Device) -> dict[str, int]:
    status = device.status()
    return {key: value for key, value in status.values.items() if key.startswith(("gate.", "decision."))}
