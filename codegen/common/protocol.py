# SPDX-License-Identifier: Apache-2.0
"""The serial protocol in one table: words, keys, lines, errors with their numbers, lengths.

From it come what the device's C knows (codegen/emit/protocol.py), what the host understands
(workbench/protocol/lines.py) and the tables of docs/protocol.md (workbench/house/protocol_page.py). Whoever
adds a line, a word or an error begins here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

# Lengths, in bytes or characters. C has them as PROTOCOL_*.
LINE_MAX = 511  # of a received line, its end not counted: an audio line with PAYLOAD_MAX bytes fits
PAYLOAD_MAX = 360  # that an audio or tensor line may carry: 180 samples
TENSOR_CHUNK = 192  # of a model's output in one tensor line
SUBJECT_MAX = 40  # of a received line that an error repeats
STACK_WORDS = 8  # in one stack line
STACK_LINES = 64  # after a fault
DECISION_MAX = (
    200  # of a decision line with its LF, labels of up to 60 characters: 40 a second at 115200 baud
)
REASON_MAX = 96  # of an error's reason; no character of it is escaped
BUILD_ID_SIZE = 20  # of a GNU build id


class Kind(Enum):
    """What a value may be. The longest text of it decides how large the image's buffer must be."""

    COUNT = "uint32"
    INT32 = "int32"
    INT64 = "int64"
    INT8 = "int8"
    CLASS = "uint8"
    FLAG = "true or false"
    TEXT = "text"
    HEX = "hex digits"
    TEXTS = "list of texts"
    NUMBERS = "list of numbers"


@dataclass(frozen=True)
class Key:
    """A member of a line. meaning: for a person; optional: not every image, or such line, has it."""

    key: str
    kind: Kind
    meaning: str
    optional: bool = False


@dataclass(frozen=True)
class LineFormat:
    """A line out, known by its first key. more: keys named elsewhere follow (settings, registers)."""

    keys: tuple[Key, ...]
    more: bool = False

    @property
    def first(self) -> str:
        """The key that tells the line."""
        return self.keys[0].key


_PIPELINE = "not of a bare model"
_COUNTERS = (
    Key("windows", Kind.COUNT, "since start", optional=True),
    Key("decisions", Kind.COUNT, "since start", optional=True),
    Key("late", Kind.COUNT, "live windows that took longer than the time to the next one", optional=True),
    Key("dropped", Kind.COUNT, "lines that did not go out", optional=True),
    Key("lost", Kind.COUNT, "samples that found the microphone's ring full", optional=True),
    Key("serial_lost", Kind.COUNT, "received bytes that found the receiver's ring full", optional=True),
    Key("errors", Kind.COUNT, "error lines, the dropped ones too", optional=True),
    Key("stack", Kind.COUNT, "bytes of stack ever used, 0 where it is not known", optional=True),
    Key(
        "awake", Kind.COUNT, "percent of the time since the last status line not spent asleep", optional=True
    ),
    Key("restarts", Kind.COUNT, "starts of a microphone that had given no sound", optional=True),
)

BOOT = LineFormat(
    (
        Key("boot", Kind.TEXT, "the app's name"),
        Key("board", Kind.TEXT, "what the image was built for: a folder of boards/"),
        Key("engine", Kind.TEXT, "`aot` or `tflm`"),
        Key("build", Kind.HEX, "GNU build id of the image, empty where the linker gave none"),
        Key("model", Kind.HEX, "start of the .tflite's SHA-256"),
        Key("input", Kind.COUNT, "bytes of the model's input"),
        Key("output", Kind.COUNT, "bytes of the model's output"),
        Key("contract", Kind.HEX, f"the feature contract; {_PIPELINE}", optional=True),
        Key("rate", Kind.COUNT, f"samples a second; {_PIPELINE}", optional=True),
        Key("frames", Kind.COUNT, f"of the cascade; {_PIPELINE}", optional=True),
        Key("labels", Kind.TEXTS, f"the classes; {_PIPELINE}", optional=True),
        Key(
            "image",
            Kind.HEX,
            "CRC-32 of the flash content, which the image found right at its start (`firmware.bin` without "
            "its last 8 bytes has the same); empty on the board `pc`",
            optional=True,
        ),
        Key("reset", Kind.TEXT, "why it started, see below; empty where nobody knows", optional=True),
        Key(
            "id",
            Kind.HEX,
            "the chip's own number, the same at every start: DEVICEID of an nRF52840, the EUI-64 of an "
            "EFR32; empty on the virtual boards and `pc`",
            optional=True,
        ),
        Key("version", Kind.TEXT, "of Earshot that generated it", optional=True),
    )
)
DECISION = LineFormat(
    (
        Key("ModelNumber", Kind.CLASS, "0"),
        Key("Classification", Kind.CLASS, "index of the label + 1; 0 is Unknown: below its threshold"),
        Key("SegmentStart", Kind.INT64, "first sample of the oldest window, since reset"),
        Key("SegmentLength", Kind.COUNT, "samples"),
        Key("Label", Kind.TEXT, "the class, or `Unknown`"),
        Key("Score", Kind.INT8, "the largest int8 score, accepted or not"),
        Key("Sequence", Kind.COUNT, "the newest window's number, from 0"),
    )
)
STAGE = LineFormat(
    (
        Key("stage", Kind.TEXT, "one of those below"),
        Key("sequence", Kind.COUNT, "the window's number"),
        Key("values", Kind.NUMBERS, "of the stage"),
    )
)
STATUS = LineFormat(
    (
        Key("status", Kind.COUNT, "windows since reset: the next window's sequence"),
        Key("live", Kind.FLAG, "sound comes from the microphone"),
        Key("stages", Kind.FLAG, "stages are printed"),
        *_COUNTERS,
    ),
    more=True,
)
ERROR = LineFormat(
    (
        Key("error", Kind.TEXT, "what was wrong, in words"),
        Key("detail", Kind.INT64, "a number that belongs to it"),
        Key("reason", Kind.TEXT, "more words", optional=True),
        Key("code", Kind.CLASS, "the error's number", optional=True),
    ),
    more=True,
)
FAULT = LineFormat(
    (
        Key("fault", Kind.TEXT, "what ended the run before the last reset, in words"),
        Key("detail", Kind.INT64, "a number that belongs to it"),
        Key("code", Kind.CLASS, "its number", optional=True),
    ),
    more=True,
)
ACK = LineFormat(
    (
        Key("ack", Kind.COUNT, "number of the line that is expected next"),
        Key("room", Kind.COUNT, "samples (bytes of a tensor) that may be on their way without an ack"),
    )
)
SETTING = LineFormat(
    (Key("set", Kind.TEXT, "the setting that was changed"), Key("value", Kind.INT32, "as it is now"))
)
TENSOR = LineFormat(
    (
        Key("tensor", Kind.COUNT, "number of the piece, from 0"),
        Key("data", Kind.TEXT, f"base64 of up to {TENSOR_CHUNK} bytes of the model's output"),
        Key("crc", Kind.HEX, "CRC-32 over `tensor N DATA`"),
    )
)
STACK = LineFormat(
    (
        Key("stack", Kind.HEX, "address of the first word"),
        Key("words", Kind.TEXT, f"up to {STACK_WORDS} words of the stack, a blank between them"),
    )
)
# What the lists of a cycles line are of, in this order: stage_t of pipeline.h from the gate on.
COUNTED = ("gate", "front_end", "scale", "classifier", "decision")
CYCLES = LineFormat(
    (
        Key("cycles", Kind.COUNT, "windows since the last such line"),
        Key(
            "last",
            Kind.NUMBERS,
            f"clocks of the core that each stage took last: {', '.join(COUNTED)}; 0: it has not run",
        ),
        Key("most", Kind.NUMBERS, "the most that each took in one window"),
    )
)
LINES = (BOOT, DECISION, STAGE, STATUS, ERROR, FAULT, ACK, SETTING, TENSOR, STACK, CYCLES)
COUNTERS = tuple(key.key for key in _COUNTERS)

STAGES = {
    "cepstra": "int32, of every window",
    "gate": "1: the window passed",
    "features": "the cepstra as 0..255",
    "frame": "the same in the model's numbers",
    "input": "when it decided: the whole tensor, also where the model took the new frames alone",
    "scores": "when it decided: the model's output",
}

RESET_CAUSES = {
    "power": "power came, or came back",
    "pin": "the reset pin",
    "watchdog": "the main loop made no round for seconds",
    "fault": "its error line came before",
    "software": "the image or a debugger asked for it",
    "lockup": "a fault in a fault",
    "brown-out": "the supply was too low",
}


@dataclass(frozen=True)
class Setting:
    """What `set` changes. label: one a label, as KEY.LABEL."""

    key: str
    least: int
    most: int
    meaning: str
    label: bool = False


THRESHOLD = "decision.threshold"
SETTINGS = (
    Setting("gate.threshold", -1, 32767, "peak of a window above which it passes; -1: every one does"),
    Setting("gate.backoff", 0, 1000, "windows that pass after a loud one"),
    Setting("gate.delay", 0, 64, "windows before the first one passes"),
    Setting("decision.votes", 1, 10, "decisions that vote"),
    Setting(THRESHOLD, -128, 128, "of every label: the smallest score that is accepted; 128 is never"),
    Setting(THRESHOLD, -128, 128, "the same for one label, which may have blanks", label=True),
)


@dataclass(frozen=True)
class Word:
    """What a line in begins with.

    usage: the whole line, as an error's reason shows it
    answer: first key of the line that comes when it is done
    meaning: the answer, in words
    bare: a bare model takes it too
    numbered: its lines are numbered, checksummed and acknowledged
    """

    word: str
    usage: str
    answer: LineFormat
    meaning: str
    bare: bool = False
    numbered: bool = False


WORDS = (
    Word("boot", "boot", BOOT, "the boot line", bare=True),
    Word("status", "status", STATUS, "the status line", bare=True),
    Word("set", "set KEY VALUE", SETTING, '`{"set":KEY,"value":VALUE}`'),
    Word("stages", "stages on|off", STATUS, "the status line"),
    Word("cycles", "cycles", CYCLES, "the cycles line; counts from now on"),
    Word(
        "replay",
        "replay",
        ACK,
        '`{"ack":0,"room":R}`: sound now comes from `audio` lines; everything is empty, settings stay',
    ),
    Word(
        "live",
        "live",
        STATUS,
        "the status line: sound comes from the microphone again, from now on; everything is empty",
    ),
    Word(
        "reset",
        "reset",
        STATUS,
        "the status line: pipeline, model and a half tensor are empty, settings stay",
        bare=True,
    ),
    Word("audio", "audio N BASE64 CRC", ACK, "its lines, then an ack", numbered=True),
    Word(
        "tensor",
        "tensor N BASE64 CRC",
        ACK,
        "with the last piece the output's lines, then an ack",
        bare=True,
        numbered=True,
    ),
)

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
        """It answers a numbered line, with an ack behind it."""
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


def keys() -> Iterator[str]:
    """Every key of a line out, once, in the table's order; settings too."""
    own = [key.key for line in LINES for key in line.keys]
    yield from dict.fromkeys([*own, *(setting.key for setting in SETTINGS)])
