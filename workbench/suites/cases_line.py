# SPDX-License-Identifier: Apache-2.0
"""A serial line with troubles costs time and no decision."""

from __future__ import annotations

from codegen.emit.suite import Suite
from workbench.suites.context import Context, case, play, step
from workbench.suites.robot.bad_line import DAMAGES

RATE = 0.03  # of the lines
SEED = 11


def suite(context: Context) -> Suite:
    """Garbage, a host that is gone, and each damage of lines."""
    noise = context.noise()
    bad = step("Something Should Have Been Damaged")
    cases = [
        case(
            "Garbage before a recording",
            "garbage",
            "A thousand random bytes mean nothing",
            step("Send Garbage", 1000, f"seed={SEED}"),
            play(noise),
        ),
        case(
            "A host that disappears in the middle of a line",
            "host_lost",
            "The next one begins anew",
            step("Lose The Host In The Middle Of A Line"),
            play(noise),
        ),
        case(
            "Damaged bytes",
            "bad_bytes",
            "One byte of 1000 is lost, doubled or changed",
            step("Damage Bytes On The Line", 0.001, f"seed={SEED}"),
            play(noise),
            bad,
            bad_line=True,
        ),
    ]
    for damage in DAMAGES:
        cases.append(
            case(
                f"Lines {damage}" if damage != "garbage" else "Garbage between lines",
                f"lines_{damage}",
                f"{RATE:.0%} of the audio lines: {damage}",
                step("Damage Lines", RATE, damage, f"seed={SEED}"),
                play(noise),
                bad,
                bad_line=True,
            )
        )
    return Suite("line", "A bad serial line costs time and no decision", tuple(cases))
