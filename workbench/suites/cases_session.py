# SPDX-License-Identifier: Apache-2.0
"""Resets, restarts and settings changed while sound plays."""

from __future__ import annotations

from codegen.emit.suite import Suite
from workbench.suites.context import Context, case, play, step
from workbench.suites.emulator import FULL_SCALE


def suite(context: Context) -> Suite:
    """Cases in which something happens in the middle of a recording."""
    first = context.recordings[0]
    file, samples = context.recording(first), context.samples(first)
    half = len(samples) // 2 + 1  # not at the end of a window
    noise = context.noise()
    cascade = context.make.cascade
    middle = context.make.samples(cascade + 3)
    rest = step("Play Rest Of Recording")
    beginning = step("Play Beginning Of Recording", file, f"samples={half}")
    noise_begins = step("Play Beginning Of Recording", noise, f"samples={middle}")
    cases = (
        case(
            "Two halves are the whole",
            "halves",
            "A pause of the host between two samples changes nothing",
            beginning,
            rest,
        ),
        case("Played twice", "again", "The second time begins with everything empty", play(file), play(file)),
        case(
            "A reset in the middle",
            "reset",
            "What was heard before the reset has no part in what follows",
            beginning,
            step("Reset Image"),
            rest,
        ),
        case(
            "A restart in the middle",
            "restart",
            "The image starts anew while a recording plays, and hears the whole of it then",
            beginning,
            step("Load The Image"),
            play(file),
        ),
        case(
            "Settings outlast a reset",
            "settings_stay",
            "The gate keeps its changed threshold",
            step("Change Setting", "gate.threshold", FULL_SCALE),
            step("Reset Image"),
            play(file),
            step("There Should Be No Decision"),
        ),
        case(
            "A restart forgets settings",
            "settings_go",
            "The gate has the threshold of pipeline.toml again",
            step("Change Setting", "gate.threshold", FULL_SCALE),
            step("Load The Image"),
            play(noise),
            step("There Should Be Decisions"),
        ),
        case(
            "The gate's threshold changes while sound plays",
            "live_gate",
            "After its back-off the gate stays shut",
            noise_begins,
            step("Change Setting", "gate.threshold", FULL_SCALE),
            rest,
        ),
        case(
            "The decision's threshold changes while sound plays",
            "live_threshold",
            "From then on every decision is Unknown",
            noise_begins,
            step("Change Setting", "decision.votes", 1),
            step("Change Setting", "decision.threshold", context.never),
            rest,
            step("All Decisions Should Be", "Unknown", f"from_window={cascade + 3}"),
        ),
        case(
            "Votes change while sound plays",
            "live_votes",
            "Votes begin anew with their new number",
            noise_begins,
            step("Change Setting", "decision.votes", 5),
            rest,
        ),
    )
    return Suite("sessions", "Resets, restarts and settings in the middle of sound", cases)
