# SPDX-License-Identifier: Apache-2.0
"""The protocol's table as the firmware sees it: protocol_table.h and .c, the same on all boards."""

from __future__ import annotations

import re
from collections.abc import Iterable

from codegen.common import protocol
from codegen.common.render import c_string, render


def protocol_sources() -> dict[str, str]:
    """File name -> text."""
    names = [f"error_{error.name};" for error in protocol.ERRORS]
    width = max(map(len, names))
    header = render(
        "protocol_table.h.in",
        lengths=_lengths(),
        macros=_macros(),
        first_own=protocol.FIRST_OWN,
        first_stop=protocol.FIRST_STOP,
        errors=[(f"{name:<{width}}", error.code) for name, error in zip(names, protocol.ERRORS, strict=True)],
    )
    return {
        "protocol_table.h": header,
        "protocol_table.c": render("protocol_table.c.in", errors=protocol.ERRORS),
    }


def _lengths() -> list[tuple[str, str, str]]:
    """Macro, value and meaning, aligned."""
    rows = [
        ("LINE_MAX", protocol.LINE_MAX, "bytes of the longest received line, its end not counted"),
        ("PAYLOAD_MAX", protocol.PAYLOAD_MAX, "bytes an audio or tensor line brings: 180 samples"),
        ("SUBJECT_MAX", protocol.SUBJECT_MAX, "characters of a received line that an error repeats"),
        ("REASON_MAX", protocol.REASON_MAX, "characters of an error's reason"),
        ("TENSOR_CHUNK", protocol.TENSOR_CHUNK, "bytes of a model's output in a line"),
        ("CAPTURE_MAX", protocol.CAPTURE_MAX, "samples in a line of them"),
        ("STREAM_SYNC", protocol.STREAM_SYNC, "first byte of SensiML's packet"),
        ("STREAM_CHANNEL", protocol.STREAM_CHANNEL, "its channel"),
        ("STREAM_SAMPLES", protocol.STREAM_SAMPLES, "samples in it"),
        ("STREAM_HEAD", protocol.STREAM_HEAD, "bytes before the samples"),
        ("STREAM_COUNTED", protocol.STREAM_COUNTED, "of these, bytes that its length counts"),
        ("STREAM_PACKET", protocol.STREAM_PACKET, "bytes of all of it"),
        ("DECISION_MAX", protocol.DECISION_MAX, "bytes of a decision's line, labels of 60 characters"),
        ("STACK_WORDS", protocol.STACK_WORDS, "words in a stack line"),
        ("STACK_LINES", protocol.STACK_LINES, "stack lines after a fault"),
        ("BUILD_ID_SIZE", protocol.BUILD_ID_SIZE, "bytes of a GNU build id"),
    ]
    width = max(len(name) for name, _, _ in rows)
    digits = max(len(str(value)) for _, value, _ in rows)
    return [(f"PROTOCOL_{name:<{width}}", f"{value:<{digits}}", meaning) for name, value, meaning in rows]


def _macros() -> list[tuple[str, list[tuple[str, str]]]]:
    """Groups of macros that are texts: a comment, then names and literals."""
    return [
        (
            "What a numbered line begins with, and words that not every image takes.",
            _texts(
                "WORD",
                [
                    *(word.word for word in protocol.EVERY_WORD if word.numbered or word is protocol.CAPTURE),
                    protocol.CONNECT,
                    protocol.DISCONNECT,
                ],
            ),
        ),
        (
            "How a received line is written.",
            _named((f"USAGE_{_macro(word.word)}", word.usage) for word in protocol.EVERY_WORD),
        ),
        ("SensiML's offer of samples.", _named([("STREAM_OFFER", protocol.OFFER)])),
        ("Members of the lines.", _texts("KEY", protocol.keys())),
        ("Stages of a window.", _texts("STAGE_NAME", protocol.STAGES)),
        ("Why an image started.", _texts("RESET", protocol.RESET_CAUSES)),
    ]


def _texts(prefix: str, texts: Iterable[str]) -> list[tuple[str, str]]:
    return _named((f"{prefix}_{_macro(text)}", text) for text in texts)


def _named(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Names padded to the widest, and literals."""
    found = list(pairs)
    width = max(len(name) for name, _ in found)
    return [(f"{name:<{width}}", c_string(text)) for name, text in found]


def _macro(text: str) -> str:
    """gate.threshold -> GATE_THRESHOLD; ModelNumber, as decisions alone spell it -> DECISION_MODEL_NUMBER."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", f"decision_{text}" if text[0].isupper() else text)
    return re.sub(r"\W", "_", words).upper()
