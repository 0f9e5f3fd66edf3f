# SPDX-License-Identifier: Apache-2.0
"""Lines out: each one's keys, and how long they may be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

# Lengths, in bytes or characters. C has them as PROTOCOL_*.
LINE_MAX = 511  # of a received line, its end not counted: an audio line with PAYLOAD_MAX bytes fits
PAYLOAD_MAX = 360  # that an audio or tensor line may carry: 180 samples
TENSOR_CHUNK = 192  # of a model's output in one tensor line
SUBJECT_MAX = 40  # of a received line that an error repeats
CAPTURE_MAX = 180  # samples in one samples line
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

_CAPTURE = (
    Key("capture", Kind.COUNT, "bits of a sample in samples lines, 0: there are none", optional=True),
    Key("level", Kind.COUNT, "the largest sample since the last status line, 0..32768", optional=True),
    Key("uncaptured", Kind.COUNT, "samples whose line found no room", optional=True),
)

BOOT = LineFormat(
    (
        Key("boot", Kind.TEXT, "the app's name"),
        Key("board", Kind.TEXT, "what the image was built for: a folder of boards/"),
        Key("engine", Kind.TEXT, "`aot` or `tflm`"),
        Key("build", Kind.HEX, "GNU build id of the image, empty where the linker gave none"),
        Key("model", Kind.HEX, "start of the .tflite's SHA-256; of several models of all of theirs"),
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
CLASSIFIER = LineFormat(
    (
        Key("classifier", Kind.CLASS, "its ModelNumber"),
        Key("name", Kind.TEXT, "its name in pipeline.toml"),
        Key("model", Kind.HEX, "start of the .tflite's SHA-256"),
        Key("contract", Kind.HEX, "its feature contract"),
        Key("frames", Kind.COUNT, "of its cascade"),
        Key("labels", Kind.TEXTS, "its classes"),
        Key("waits_for", Kind.TEXT, "the model, or model and label, for which it waits", optional=True),
        Key("stays", Kind.COUNT, "windows for which it then runs", optional=True),
    )
)
DECISION = LineFormat(
    (
        Key("ModelNumber", Kind.CLASS, "0; of several models which one, in the order of pipeline.toml"),
        Key("Classification", Kind.CLASS, "index of the label + 1; 0 is Unknown: below its threshold"),
        Key("SegmentStart", Kind.INT64, "first sample of the oldest window, since reset"),
        Key("SegmentLength", Kind.COUNT, "samples"),
        Key("Label", Kind.TEXT, "the class, or `Unknown`"),
        Key("Score", Kind.INT32, "the largest int8 score, accepted or not; of an anomaly its error"),
        Key("Sequence", Kind.COUNT, "the newest window's number, from 0"),
    )
)
STAGE = LineFormat(
    (
        Key("stage", Kind.TEXT, "one of those below"),
        Key("sequence", Kind.COUNT, "the window's number"),
        Key("values", Kind.NUMBERS, "of the stage"),
        Key("ModelNumber", Kind.CLASS, "as in a decision, of an image with several models", optional=True),
    )
)
STATUS = LineFormat(
    (
        Key("status", Kind.COUNT, "windows since reset: the next window's sequence"),
        Key("live", Kind.FLAG, "sound comes from the microphone"),
        Key("stages", Kind.FLAG, "stages are printed"),
        *_COUNTERS,
        *_CAPTURE,
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
SAMPLES = LineFormat(
    (
        Key("samples", Kind.INT64, "number of the line's first sample since `capture`; lost ones count, too"),
        Key("bits", Kind.COUNT, "of a sample: 16, or 8"),
        Key(
            "data", Kind.TEXT, f"base64 of up to {CAPTURE_MAX} samples: int16 little-endian, or mu-law bytes"
        ),
        Key("crc", Kind.HEX, "CRC-32 over `samples N BITS DATA`"),
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
LINES = (
    BOOT,
    CLASSIFIER,
    DECISION,
    STAGE,
    STATUS,
    ERROR,
    FAULT,
    ACK,
    SETTING,
    TENSOR,
    SAMPLES,
    STACK,
    CYCLES,
)
COUNTERS = tuple(key.key for key in _COUNTERS)
CAPTURE_COUNTERS = tuple(key.key for key in _CAPTURE)  # of an image with [device] capture

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
