# SPDX-License-Identifier: Apache-2.0
"""The serial protocol in one table: words, keys, lines, errors with their numbers, lengths.

From it come what the device's C knows (codegen/emit/protocol.py), what the host understands
(workbench/protocol/lines.py) and the tables of docs/protocol.md (workbench/house/protocol_page.py). Whoever
adds a line, a word or an error begins here.
"""

from __future__ import annotations

from collections.abc import Iterator

from codegen.common.protocol.errors import (
    BY_CODE,
    BY_NAME,
    ERRORS,
    FIRST_OWN,
    FIRST_STOP,
    FIRST_WAIT,
    Error,
    Subject,
)
from codegen.common.protocol.lines import (
    ACK,
    BOOT,
    BUILD_ID_SIZE,
    CAPTURE_COUNTERS,
    CAPTURE_MAX,
    CLASSIFIER,
    COUNTED,
    COUNTERS,
    CYCLES,
    DECISION,
    DECISION_MAX,
    ERROR,
    FAULT,
    LINE_MAX,
    LINES,
    PAYLOAD_MAX,
    REASON_MAX,
    RESET_CAUSES,
    SAMPLES,
    SETTING,
    STACK,
    STACK_LINES,
    STACK_WORDS,
    STAGE,
    STAGES,
    STATUS,
    SUBJECT_MAX,
    TENSOR,
    TENSOR_CHUNK,
    Key,
    Kind,
    LineFormat,
)
from codegen.common.protocol.stream import (
    CONNECT,
    DISCONNECT,
    OFFER,
    STREAM_CHANNEL,
    STREAM_COUNTED,
    STREAM_HEAD,
    STREAM_PACKET,
    STREAM_SAMPLES,
    STREAM_SYNC,
)
from codegen.common.protocol.words import (
    CAPTURE,
    EVERY_WORD,
    MEAN_ROOM,
    SETTINGS,
    SMOOTHING,
    THRESHOLD,
    WORDS,
    Setting,
    Word,
)

__all__ = [
    "ACK",
    "BOOT",
    "BUILD_ID_SIZE",
    "BY_CODE",
    "BY_NAME",
    "CAPTURE",
    "CAPTURE_COUNTERS",
    "CAPTURE_MAX",
    "CLASSIFIER",
    "CONNECT",
    "COUNTED",
    "COUNTERS",
    "CYCLES",
    "DECISION",
    "DECISION_MAX",
    "DISCONNECT",
    "ERROR",
    "ERRORS",
    "EVERY_WORD",
    "FAULT",
    "FIRST_OWN",
    "FIRST_STOP",
    "FIRST_WAIT",
    "LINES",
    "LINE_MAX",
    "MEAN_ROOM",
    "OFFER",
    "PAYLOAD_MAX",
    "REASON_MAX",
    "RESET_CAUSES",
    "SAMPLES",
    "SETTING",
    "SETTINGS",
    "SMOOTHING",
    "STACK",
    "STACK_LINES",
    "STACK_WORDS",
    "STAGE",
    "STAGES",
    "STATUS",
    "STREAM_CHANNEL",
    "STREAM_COUNTED",
    "STREAM_HEAD",
    "STREAM_PACKET",
    "STREAM_SAMPLES",
    "STREAM_SYNC",
    "SUBJECT_MAX",
    "TENSOR",
    "TENSOR_CHUNK",
    "THRESHOLD",
    "WORDS",
    "Error",
    "Key",
    "Kind",
    "LineFormat",
    "Setting",
    "Subject",
    "Word",
    "keys",
]


def keys() -> Iterator[str]:
    """Every key of a line out, once, in the table's order; settings too."""
    own = [key.key for line in LINES for key in line.keys]
    yield from dict.fromkeys([*own, *(setting.key for setting in (*SETTINGS, *SMOOTHING))])
