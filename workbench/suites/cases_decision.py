# SPDX-License-Identifier: Apache-2.0
"""Thresholds and votes, events one after the other, and a long recording."""

from __future__ import annotations

import numpy as np

from codegen.emit.suite import Case, Suite
from workbench.suites.context import Context, case, play, step


def suite(context: Context) -> Suite:
    """Cases about what is made of scores."""
    noise = context.noise()
    first = context.recordings[0]
    other = next((r for r in context.recordings if r.labels != first.labels), context.recordings[-1])
    events = context.joined([context.samples(first), context.samples(other)])
    twice = context.joined([context.samples(first), context.samples(first)])
    cases = [
        case(
            "Below the threshold is Unknown",
            "unknown",
            f"decision.threshold {context.never} is above every score",
            step("Change Setting", "decision.threshold", context.never),
            play(noise),
            step("All Decisions Should Be", "Unknown"),
        ),
        case(
            "One label is never accepted",
            "one_label",
            "The threshold of the first label alone is above every score",
            step(
                "Change Setting", f"decision.threshold.{context.pipeline.decision.labels[0]}", context.never
            ),
            play(context.recording(first)),
            step("No Decision Should Be", context.pipeline.decision.labels[0]),
        ),
        case(
            "Three votes",
            "votes_3",
            "A class wins with two of the last three decisions",
            step("Change Setting", "decision.votes", 3),
            play(context.recording(first)),
        ),
        case(
            "Ten votes",
            "votes_10",
            "A class wins with six of the last ten decisions",
            step("Change Setting", "decision.votes", 10),
            play(context.recording(other)),
        ),
        case(
            "Two events in a row",
            "events",
            f"{first.file.stem}, silence, {other.file.stem}",
            play(context.sound("two_events", events)),
        ),
        case(
            "The same event twice",
            "twice",
            f"{first.file.stem}, silence, and the same again",
            play(context.sound("twice", twice)),
        ),
        case(
            "A long recording",
            "long",
            f"All recordings one after the other, {context.long} s",
            play(context.sound("long", _long(context))),
        ),
    ]
    if context.pipeline.decision.suppress == 0:  # after a detection what follows is Unknown
        cases.insert(1, _accepted(context, noise))
    return Suite("decisions", "Scores become decisions by thresholds and votes", tuple(cases))


def _accepted(context: Context, noise: str) -> Case:
    return case(
        "With the lowest threshold nothing is Unknown",
        "accepted",
        f"decision.threshold {-context.never} accepts every score",
        step("Change Setting", "decision.threshold", -context.never),
        step("Change Setting", "decision.votes", 1),
        play(noise),
        step("No Decision Should Be", "Unknown"),
    )


def _long(context: Context) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """The recordings in turn until it is long enough."""
    wanted = context.long * context.rate
    parts = []
    index = total = 0
    while total < wanted:
        parts.append(context.samples(context.recordings[index % len(context.recordings)]))
        total += len(parts[-1])
        index += 1
    return np.concatenate(parts)[:wanted]
