# SPDX-License-Identifier: Apache-2.0
"""The host's side of the benchmark's serial interface: commands that end in '%', answers in `m-ready`."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from codegen.common.errors import UserError
from workbench.targets.link import Link, LinkClosedError

READY = "m-ready"
PIECE = 31  # bytes of an input in a command: what the benchmark's runner sends
SOUND_PIECE = 512  # bytes: what its streaming test's driver sends
DAMAGED = "Is the rate right, and the cable whole?"
TIMEOUT = 60.0  # seconds without a line until an image is given up: inferences of an emulator are long


@dataclass(frozen=True)
class Identity:
    """Who is there. model: by which the runner chooses its test, "kws01"."""

    name: str
    profile: str
    model: str


@dataclass(frozen=True)
class Inference:
    """What `infer` answered. micros: of all measured inferences together, by the device's clock; None: in the
    energy mode a pin tells it, not the line."""

    results: tuple[float, ...]
    micros: int | None


def _int16(text: str, name: str) -> int:
    value = int(text)
    if not -(1 << 15) <= value < 1 << 15:
        raise UserError(f'sent "{text}" where a number of 16 bits stands', file=name, remedy=DAMAGED)
    return value


class Dialogue:
    """One image at the other end of a link."""

    def __init__(self, link: Link, name: str, timeout: float = TIMEOUT) -> None:
        """name: of the link, for messages. UserError where nobody speaks the benchmark's interface."""
        self._link, self.name, self._timeout = link, name, timeout
        self._text = ""
        # What may be left of a damaged command ends; what else was under way, the lines of a start too, comes
        # before the answer that is looked for.
        self._send("%")
        self._send("name%")
        while not any(line.startswith("m-name-") for line in self._answer("name")):
            pass

    def ask(self, command: str) -> list[str]:
        """The lines of a command's answer, without `m-ready`. UserError: none came, or an error line."""
        self._send(f"{command}%")
        lines = self._answer(command)
        refused = next((line for line in lines if line.startswith("e-")), None)
        if refused is not None:
            raise UserError(f"the image refuses `{command[:40]}`: {refused}", file=self.name)
        return lines

    def identify(self) -> Identity:
        """Name, profile and model."""
        text = "\n".join([*self.ask("name"), *self.ask("profile")])
        return Identity(
            *(self._found(rf"m-{key}-\[(.*)\]", text) for key in ("name-dut", "profile", "model"))
        )

    def timestamp(self) -> int:
        """Microseconds since the image's start."""
        return int(self._found(r"m-lap-us-(\d{1,20})", "\n".join(self.ask("timestamp"))))

    def load(self, data: bytes) -> None:
        """An input, whole. UserError: the model takes another size."""
        self.ask(f"db load {len(data)}")
        lines: list[str] = []
        for at in range(0, len(data), PIECE):
            lines = self.ask(f"db {data[at : at + PIECE].hex()}")
        if "m-load-done" not in lines:
            raise UserError("the image has not taken the whole input", file=self.name)

    def extract(self, data: bytes) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The streaming task: a stride of int16 sound -> the model's newest frame, and its scores."""
        self.ask(f"db load {len(data)}")
        for at in range(0, len(data), SOUND_PIECE):
            self.ask(f"db {data[at : at + SOUND_PIECE].hex()}")
        text = "\n".join(self.ask("extract_uart_stream"))
        lists = (
            self._numbers(rf"m-{name}-\[(.*)\]", text, r"-?\d{1,6}") for name in ("features", "activations")
        )
        features, scores = (tuple(_int16(value, self.name) for value in one) for one in lists)
        return features, scores

    def infer(self, count: int = 1, warmups: int = 0) -> Inference:
        """Runs the model on the loaded input: `warmups` times, then `count` times between two timestamps."""
        text = "\n".join(self.ask(f"infer {count} {warmups}"))
        laps = [int(lap) for lap in re.findall(r"^m-lap-us-(\d{1,20})$", text, re.MULTILINE)]
        if len(laps) not in (0, 2):
            raise UserError(f"{len(laps)} timestamps came with the results, not 2", file=self.name)
        results = self._numbers(r"m-results-\[(.*)\]", text, r"-?\d{1,20}(\.\d{1,20})?")
        micros = laps[1] - laps[0] if laps else None
        return Inference(tuple(float(value) for value in results), micros)

    def _found(self, pattern: str, text: str) -> str:
        match = re.search(f"^{pattern}$", text, re.MULTILINE)
        if match is None:
            raise UserError(f"answers without a line {pattern}", file=self.name)
        return match[1]

    def _numbers(self, pattern: str, text: str, number: str) -> list[str]:
        """Of a list in a line. UserError where one is damaged."""
        found = [value.strip() for value in self._found(pattern, text).split(",")]
        wrong = next((value for value in found if not re.fullmatch(number, value)), None)
        if wrong is not None:
            what = f'sent "{wrong[:20]}" where a number stands'
            raise UserError(what, file=self.name, remedy=DAMAGED)
        return found

    def _send(self, text: str) -> None:
        try:
            self._link.send(text.encode())
        except LinkClosedError as error:
            raise UserError(str(error), file=self.name) from None

    def _answer(self, command: str) -> list[str]:
        """The lines up to the next `m-ready`. What something else says does not put off the end: lines of
        the benchmark do, and the image's own words at its start."""
        lines: list[str] = []
        deadline = time.monotonic() + self._timeout
        while True:
            while "\n" in self._text:
                line, self._text = self._text.split("\n", 1)
                line = line.strip("\r\0")
                if line == READY:
                    return lines
                lines.append(line)
                if line.startswith(("m-", "e-")):
                    deadline = time.monotonic() + self._timeout
            try:
                left = deadline - time.monotonic()
                received = self._link.receive(left) if left > 0 else b""
            except LinkClosedError as error:
                raise UserError(str(error), file=self.name) from None
            if not received:
                raise UserError(
                    f"no answer to `{command[:40]}` within {self._timeout:g} seconds",
                    file=self.name,
                    remedy="Is an image for MLPerf Tiny on it, and is the rate right?",
                )
            self._text += received.decode("ascii", "replace")
