# SPDX-License-Identifier: Apache-2.0
"""Errors, with their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from codegen.common.protocol.lines import LINE_MAX, PAYLOAD_MAX, SUBJECT_MAX

# Errors are numbered by what they mean for whoever listens, so that a host understands also those of an image
# that is newer than it. A number is never given to another error.
FIRST_OWN = 32  # below: a received line was refused, and nothing changed
FIRST_STOP = (
    64  # below: came by itself, and the image goes on; from here on: the image stops, a reset follows
)
FIRST_WAIT = 72  # below: an exception; from here on: a check or a wait for hardware that failed


class Subject(Enum):
    """What stands in an error's text beside its words."""

    NONE = ""
    RECEIVED = "a piece of the received line, after the words"
    TRANSFER = "audio or tensor, before the words"
    TENSOR = "tensor, before the words"


@dataclass(frozen=True)
class Error:
    """An error line.

    name: C has it as error_NAME
    words: the text of its key `error`, with the subject
    detail, when: for a person
    reason: the text of its key `reason`, where it is always the same; some have another each time
    """

    code: int
    name: str
    words: str
    detail: str
    when: str
    reason: str = ""
    subject: Subject = Subject.NONE

    @property
    def refuses(self) -> bool:
        """It answers a received line."""
        return self.code < FIRST_OWN

    @property
    def of_transfer(self) -> bool:
        """It answers a numbered line, with an ack after it."""
        return self.subject in (Subject.TRANSFER, Subject.TENSOR)

    @property
    def stops(self) -> bool:
        """The session is over: the image resets."""
        return self.code >= FIRST_STOP


_WAIT = "a wait for the chip ran out: "
_EXCEPTION = "the exception"

ERRORS = (
    Error(
        1,
        "unknown",
        "unknown",
        "0",
        f"no such word; up to {SUBJECT_MAX} characters of it, the unprintable ones as `?`",
        subject=Subject.RECEIVED,
    ),
    Error(2, "usage", "usage", "0", "arguments the word does not take; `reason` shows them"),
    Error(
        3, "line_too_long", "line too long", str(LINE_MAX), "reported once; the rest of the line is skipped"
    ),
    Error(
        4,
        "no_pipeline",
        "no pipeline",
        "0",
        "the word needs a pipeline",
        reason="a bare model takes tensor lines only",
    ),
    Error(5, "model_start", "model", "the engine's error", "nothing runs the model", reason="did not start"),
    Error(6, "set_key", "set", "the value", "", reason="no such key", subject=Subject.RECEIVED),
    Error(7, "set_range", "set", "the value", "", reason="out of range", subject=Subject.RECEIVED),
    Error(
        8,
        "live",
        "live",
        "the sample rate",
        "the board has none, or another rate",
        reason="no microphone with this sample rate",
    ),
    Error(9, "audio", "audio", "0", "an `audio` line without `replay`", reason="send replay first"),
    Error(
        10, "form", "form", "the number expected", "the line is not `N BASE64 CRC`", subject=Subject.TRANSFER
    ),
    Error(11, "checksum", "checksum", "the number expected", "a damaged line", subject=Subject.TRANSFER),
    Error(
        12,
        "payload",
        "payload",
        "the number expected",
        f"not base64, longer than {PAYLOAD_MAX} bytes, half a sample",
        subject=Subject.TRANSFER,
    ),
    Error(13, "order", "order", "the number that came", "another is expected", subject=Subject.TRANSFER),
    Error(
        14,
        "size",
        "size",
        "bytes of the input",
        "more came than the input holds",
        subject=Subject.TENSOR,
    ),
    Error(
        15,
        "cycles",
        "cycles",
        "0",
        "the board has no counter of the core's clocks: QEMU's machines and `pc`",
        reason="no counter",
    ),
    Error(32, "model", "model", "the engine's error", "a run of the model failed"),
    Error(
        33,
        "tflm",
        "tflm",
        "1 schema, 2 operators, 3 arena, 4 sizes of input or output, 5 a run, 7 TFLM's own words, 8 the end",
        "of the engine tflm ([engines.md](engines.md)); `reason` has words. Before the boot line where it "
        "does not start; after 8 comes `tflm halted`",
    ),
    Error(
        34,
        "microphone_silent",
        "microphone without data",
        "the sample rate",
        "no sample for a second: `live` is over. The image tries again of itself after 1, 2, 4, ... 32 "
        "seconds, but not in a `replay`",
    ),
    Error(
        35,
        "microphone_stuck",
        "microphone line stuck",
        "the sample rate",
        "the same value for ten seconds: as above",
    ),
    Error(36, "microphone_dma", "microphone DMA", "the sample rate", "its DMA met a bus error: as above"),
    Error(
        64,
        "fault",
        "fault",
        f"{_EXCEPTION}: 2 NMI, 3 hard, 4 memory, 5 bus, 6 usage, 7 secure",
        "registers as in [A fault](#a-fault) follow",
    ),
    Error(
        65, "stack_overflow", "stack overflow", _EXCEPTION, "the same, the stack reached its guard or limit"
    ),
    Error(66, "watchdog", "watchdog", _EXCEPTION, "the same, the main loop made no round for seconds"),
    Error(67, "interrupt", "interrupt", _EXCEPTION, "an interrupt that nobody handles"),
    Error(
        72,
        "image_checksum",
        "image checksum",
        "0",
        "the flash does not hold what was built: the image does not run",
    ),
    Error(73, "tflm_halted", "tflm halted", "0", "the engine tflm cannot go on"),
    Error(74, "crystal", "high-frequency crystal", "0", f"{_WAIT}the nRF52840's 32 MHz crystal"),
    Error(75, "crystal_stop", "crystal stop", "0", f"{_WAIT}the EFR32's crystal at its stop"),
    Error(76, "crystal_start", "crystal start", "0", f"{_WAIT}the EFR32's crystal at its start"),
    Error(77, "pll_stop", "PLL stop", "0", f"{_WAIT}the EFR32's PLL at its stop"),
    Error(78, "oscillator", "oscillator", "0", f"{_WAIT}the EFR32's HFRCO"),
    Error(79, "pll_lock", "PLL lock", "0", f"{_WAIT}the EFR32's PLL"),
    Error(80, "serial_line", "serial line", "0", f"{_WAIT}the UART"),
    Error(81, "microphone_stop", "microphone stop", "0", f"{_WAIT}the microphone's interface"),
    Error(
        82,
        "supply_low",
        "supply low",
        "0",
        "the nRF52840's supply fell below 2.0 V; the same again until it is back",
    ),
    Error(83, "stdin", "stdin", "0", "on the board `pc`: it cannot be read; the program ends"),
    Error(84, "stdout", "stdout", "0", "on the board `pc`: it cannot be written; the program ends"),
    Error(85, "poll", "poll", "0", "on the board `pc`: no waiting for both; the program ends"),
    Error(
        86,
        "microphone",
        "microphone",
        "0",
        "no sound in six tries, and no host sent a line meanwhile; once, until it is heard again",
    ),
)

BY_CODE = {error.code: error for error in ERRORS}
BY_NAME = {error.name: error for error in ERRORS}
