# SPDX-License-Identifier: Apache-2.0
"""The longest line an app's image can print: how large the buffer of lines in app.c must be."""

from __future__ import annotations

import json
from collections.abc import Iterator

from codegen.app.spec import Spec
from codegen.common import protocol
from codegen.common.version import VERSION
from codegen.compile import Compiled

BOARD_NAME_MAX = 40  # characters of a board's name; tests/codegen/emit/test_line_size.py proves it
# Characters of an error's text: a piece of the received line has each of its characters escaped at worst.
ERROR_MAX = max(
    len(error.words) + (1 + 2 * protocol.SUBJECT_MAX if error.subject is protocol.Subject.RECEIVED else 7)
    for error in protocol.ERRORS
)

_U32 = (1 << 32) - 1
_I32 = -(1 << 31)
_I64 = -(1 << 63)
_I8 = -128


def line_size(compiled: Compiled) -> int:
    """Bytes of the longest line with its LF.

    Proof: every kind of line that firmware/device/protocol.c and status.c write is built here with each
    value at its longest. A number is longest at its type's minimum (the sign is a character) or, unsigned,
    at its maximum; texts are those of this app or bounded above; JSON without blanks is what json.c writes.
    """
    return max(len(line) for line in longest_lines(compiled)) + 1


def longest_lines(compiled: Compiled) -> Iterator[str]:
    """Each kind of line at its longest, without its LF."""
    pipeline = compiled.spec.pipeline
    yield _text(_boot(compiled))
    yield _text(_status(compiled.spec, capture=compiled.spec.device.capture))
    yield _text({"error": "x" * ERROR_MAX, "detail": _I64, "reason": "x" * protocol.REASON_MAX, "code": 255})
    yield _text({"ack": _U32, "room": _U32})
    chunk = min(compiled.output_bytes, protocol.TENSOR_CHUNK)
    yield _text({"tensor": _U32, "data": "x" * (-(-chunk // 3) * 4), "crc": "x" * 8})
    if pipeline is None:
        return
    labels = pipeline.decision.labels
    for label in ("Unknown", *labels):
        yield _text(_decision(label))
        yield _text({"set": f"{protocol.THRESHOLD}.{label}", "value": _I32})
    size = pipeline.front_end.size
    yield _stage("cepstra", [_I32] * size)
    yield _stage("features", [255] * size)
    yield _stage("frame", [_I8] * size)
    yield _stage("input", [_I8] * (pipeline.cascade.frames * size))
    yield _text(
        {"cycles": _U32, "last": [_I32] * len(protocol.COUNTED), "most": [_I32] * len(protocol.COUNTED)}
    )
    if compiled.spec.device.capture:
        data = "x" * (-(-2 * protocol.CAPTURE_MAX // 3) * 4)
        yield _text({"samples": _I64, "bits": _U32, "data": data, "crc": "x" * 8})
    yield _stage("scores", [_I8] * compiled.graph.output.nbytes)
    if compiled.others:
        for member in (compiled, *compiled.others):
            yield from _of_member(member)


def _of_member(member: Compiled) -> Iterator[str]:
    """Lines that an image with several models has of each."""
    pipeline = member.spec.pipeline
    assert pipeline is not None
    labels = pipeline.decision.labels
    yield _text(
        {"classifier": _U32, "name": member.spec.title, "model": "0" * 16, "contract": "0" * 16}
        | {"frames": pipeline.cascade.frames, "labels": list(labels)}
        | {"waits_for": member.spec.waits.opener if member.spec.waits else "", "stays": _U32}
    )
    for label in ("Unknown", *labels):
        yield _text(_decision(label) | {"ModelNumber": 255})
        yield _text({"set": f"{member.spec.title}.{protocol.THRESHOLD}.{label}", "value": _I32})
    size = pipeline.front_end.size
    for stage, values in (
        ("cepstra", [_I32] * size),
        ("input", [_I8] * (pipeline.cascade.frames * size)),
        ("scores", [_I8] * member.graph.output.nbytes),
    ):
        yield _text({"stage": stage, "sequence": _U32, "ModelNumber": 255, "values": values})


def _text(line: dict[str, object]) -> str:
    return json.dumps(line, separators=(",", ":"))


def _boot(compiled: Compiled) -> dict[str, object]:
    spec, graph = compiled.spec, compiled.graph
    line: dict[str, object] = {
        "boot": spec.name,
        "board": "x" * BOARD_NAME_MAX,
        "engine": spec.classifier.engine,
        "build": "0" * 40,
        "model": "0" * 16,
        "input": graph.input_bytes,
        "output": compiled.output_bytes,
    }
    if spec.pipeline is not None:
        line |= {
            "contract": "0" * 16,
            "rate": spec.pipeline.audio.sample_rate,
            "frames": spec.pipeline.cascade.frames,
            "labels": list(spec.pipeline.decision.labels),
        }
    cause = max(protocol.RESET_CAUSES, key=len)
    return line | {"image": "0" * 8, "reset": cause, "id": "0" * 16, "version": VERSION}


def _status(spec: Spec, *, capture: bool) -> dict[str, object]:
    line: dict[str, object] = {"status": _U32, "live": False, "stages": False}
    line |= dict.fromkeys(protocol.COUNTERS, _U32)
    if capture:
        line |= dict.fromkeys(protocol.CAPTURE_COUNTERS, _U32)
    for member in spec.members:
        if member.pipeline is not None:
            before = f"{member.title}." if spec.others else ""
            line |= {setting.key: _I32 for setting in protocol.SETTINGS if setting.key != protocol.THRESHOLD}
            line |= {f"{before}decision.votes": _I32}
            if member.pipeline.decision.smooths:
                line |= {f"{before}{setting.key}": _I32 for setting in protocol.SMOOTHING}
            labels = member.pipeline.decision.labels
            line |= {f"{before}{protocol.THRESHOLD}.{label}": _I32 for label in labels}
    return line


def _decision(label: str) -> dict[str, object]:
    return {
        "ModelNumber": 0,
        "Classification": 255,
        "SegmentStart": _I64,
        "SegmentLength": _U32,
        "Label": label,
        "Score": _I32,
        "Sequence": _U32,
    }


def _stage(stage: str, values: list[int]) -> str:
    return _text({"stage": stage, "sequence": _U32, "values": values})
