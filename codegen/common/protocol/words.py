# SPDX-License-Identifier: Apache-2.0
"""Words in, and what `set` changes."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.common.protocol.lines import (
    ACK,
    BOOT,
    CYCLES,
    SETTING,
    STATUS,
    LineFormat,
)


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
    Setting(
        THRESHOLD,
        -128,
        128,
        "of every label: the smallest score that is accepted, 128 is never; of an anomaly the least "
        "error, up to 8388607",
    ),
    Setting(THRESHOLD, -128, 128, "the same for one label, which may have blanks", label=True),
)
MEAN_ROOM = 10  # decisions that every image with a mean has room for
SMOOTHING = (
    Setting(
        "decision.mean",
        1,
        100,
        f"decisions of the mean; at most {MEAN_ROOM}, or what pipeline.toml has where that is more"
        "; in images whose pipeline.toml has a mean, a suppress or the kind anomaly only",
    ),
    Setting(
        "decision.suppress", 0, 10000, "decisions that are Unknown after a detection; in the same images"
    ),
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

# Of images whose pipeline.toml says [device] capture = true; in others it is an unknown word.
CAPTURE = Word(
    "capture",
    "capture 16|8|sensiml|off",
    STATUS,
    "the status line; sound goes out in `samples` lines from now on, each in 16 or 8 bits, or is offered as "
    "SensiML's devices do. In images with `[device] capture` only",
)
EVERY_WORD = (*WORDS, CAPTURE)
