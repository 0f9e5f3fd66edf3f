# SPDX-License-Identifier: Apache-2.0
"""Asks at a serial line who is there, and tells what else it is that speaks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from codegen.common.errors import UserError, printable
from codegen.common.protocol import DISCONNECT
from workbench.protocol.lines import Boot, Error, Lines, parse_line
from workbench.protocol.results import parse_result
from workbench.targets.device import GARBLED
from workbench.targets.link import Link, LinkClosedError

ASK_EVERY = 1.0  # seconds
_QUESTION = "boot"
_BINARY = 0.05  # share of bytes that are no text above which a line is none
_TEXT = bytes([*b"\t\n\r", *range(32, 127)])
PACKET_MAX = 2000  # samples of a packet that is believed
_SHOWN = 60  # characters of a strange line in a message


@dataclass(frozen=True)
class Sensiml:
    """A device with SensiML's firmware: it prints results, or offers its samples."""

    rate: int | None  # Hz, where it offers samples
    size: int = 0  # samples of a packet


def ask(link: Link, port: str, timeout: float, clock: Callable[[], float] = time.monotonic) -> Boot | Sensiml:
    """Who is there. UserError, with what was there instead, after `timeout` seconds; port: for it."""
    lines, said = Lines(), bytearray()
    strange: str | None = None
    trouble: str | None = None
    deadline, next_ask = clock() + timeout, clock()
    packets = False  # perhaps: SensiML's, between which only `disconnect` is understood
    try:
        while clock() < deadline:
            if clock() >= next_ask:
                if packets:
                    link.send(f"\n{DISCONNECT}\n".encode("ascii"))
                link.send(f"\n{_QUESTION}\n".encode("ascii"))
                next_ask = clock() + ASK_EVERY
            data = link.receive(max(0.0, min(deadline, next_ask) - clock()))
            said += data
            if not packets and _is_binary(bytes(said)):
                packets, next_ask = True, clock()
            for text in lines.take(data):
                line = parse_line(text)
                if isinstance(line, Boot):
                    return line
                if line is None and (found := _sensiml(text)) is not None:
                    return found
                if isinstance(line, Error) and not line.refuses:
                    trouble = text
                elif line is None and text.strip():
                    strange = strange or text
    except LinkClosedError as error:
        raise UserError(f"the port closed while it was asked who is there: {error}", file=port) from None
    raise _nobody(port, timeout, bytes(said), strange, trouble)


def _is_binary(said: bytes) -> bool:
    return len(said.translate(None, _TEXT)) > _BINARY * len(said)


def _nobody(port: str, timeout: float, said: bytes, strange: str | None, trouble: str | None) -> UserError:
    if trouble is not None:
        return UserError(f"an image is there, and does not start: {printable(trouble)}", file=port)
    if not said:
        return UserError(
            f"nothing came within {timeout:g} seconds, though it was asked who is there",
            file=port,
            remedy="Is the board powered, is it this port, is an image of Earshot on it, and is the rate "
            "right (--baud)?",
        )
    if _is_binary(said):
        return UserError(
            f"what came is no text ({len(said)} bytes): another rate, or no image of Earshot",
            file=port,
            remedy=f"Try --baud 921600, or the rate that your board has in its board.toml. {GARBLED}",
        )
    if strange == _QUESTION:
        return UserError(
            "the port echoes what is sent to it: nobody is there, or two of its pins are connected", file=port
        )
    first = printable((strange or said.decode("ascii", "replace")).strip())[:_SHOWN]
    return UserError(
        f'something speaks, but no image of Earshot: it said "{first}"',
        file=port,
        remedy="Flash an image first: scons board=... flash.",
    )


def _sensiml(text: str) -> Sensiml | None:
    if parse_result(text) is not None:
        return Sensiml(None)
    if '"column_location"' not in text:
        return None
    try:
        offer = json.loads(text)
        rate, size = int(offer["sample_rate"]), int(offer["samples_per_packet"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return Sensiml(rate, size) if 0 < rate < 1 << 20 and 0 < size <= PACKET_MAX else None
