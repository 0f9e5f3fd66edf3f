# SPDX-License-Identifier: Apache-2.0
"""An image made of answers: what a test lets it say beside them, the host must understand."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from workbench.targets import Device

BOOT = (
    '{"boot":"app","board":"b","engine":"aot","build":"","model":"1","input":720,"output":1,"reset":"power"}'
)
STATUS = '{"status":0,"live":false,"stages":false,"windows":0,"decisions":0,"dropped":0,"gate.threshold":600}'

Extra = Callable[[str], Iterable[str]]  # a received line -> lines said before its answer


class ScriptedImage:
    """A link to it. Every received line is answered as an image does, after what `extra` says."""

    def __init__(self, extra: Extra = lambda line: ()) -> None:
        self.received: list[str] = []
        self._extra = extra
        self._half = b""
        self._out = f"{BOOT}\n".encode()

    def send(self, data: bytes) -> None:
        """See Link."""
        *whole, self._half = (self._half + data).split(b"\n")
        for line in whole:
            self._take(line.decode("ascii"))

    def receive(self, timeout: float) -> bytes:
        """See Link."""
        data, self._out = self._out, b""
        return data

    def close(self) -> None:
        """See Link."""

    def _take(self, line: str) -> None:
        if not line:
            return
        self.received.append(line)
        answers = list(self._extra(line))
        word, *rest = line.split(" ")
        if word == "boot":
            answers.append(BOOT)
        elif word in ("status", "stages", "live", "reset"):
            answers.append(STATUS)
        elif word == "set":
            answers.append(f'{{"set":"{rest[0]}","value":{rest[1]}}}')
        elif word == "replay":
            answers.append('{"ack":0,"room":1440}')
        elif word in ("audio", "tensor"):
            answers.append(f'{{"ack":{int(rest[0]) + 1},"room":1440}}')
        self._out += "".join(f"{answer}\n" for answer in answers).encode()


def scripted(extra: Extra = lambda line: (), *, running: bool = False) -> tuple[Device, ScriptedImage]:
    """The device, and the image behind it. What is silent is given up after two seconds."""
    image = ScriptedImage(extra)
    return Device(image, "scripted", timeout=2.0, running=running), image
