# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/protocol.md, from the protocol's own.

    python -m workbench.house.protocol_page            exit code 1 where the page holds others
    python -m workbench.house.protocol_page --write    renews them

`earshot check` does the first, `earshot check --fix` the second.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence

from codegen.common import protocol
from codegen.common.paths import ROOT
from codegen.common.protocol import LineFormat, Subject
from workbench.profiling.tables import with_tables

PAGE = ROOT / "docs" / "protocol.md"


def tables() -> Mapping[str, str]:
    """Name of the place in the page -> the table."""
    return {
        "boot": _keys(protocol.BOOT),
        "resets": _table(("`reset`", "why it started"), _coded(protocol.RESET_CAUSES.items())),
        "classifier": _keys(protocol.CLASSIFIER),
        "decision": _keys(protocol.DECISION),
        "stages": _table(("stage", "values"), _coded(protocol.STAGES.items())),
        "status": _keys(protocol.STATUS),
        "error": _keys(protocol.ERROR),
        "refusals": _errors(error for error in protocol.ERRORS if error.refuses),
        "own": _errors(error for error in protocol.ERRORS if not error.refuses and not error.stops),
        "stops": _errors(error for error in protocol.ERRORS if error.stops),
        "more": _table(
            ("line", "key", "meaning"),
            [
                (f"`{line.first}`", f"`{key.key}`", key.meaning)
                for line in (
                    protocol.ACK,
                    protocol.SETTING,
                    protocol.TENSOR,
                    protocol.CYCLES,
                    protocol.SAMPLES,
                )
                for key in line.keys
            ],
        ),
        "words": _table(
            ("line", "answer"),
            [(", ".join(f"`{line}`" for line in _lines(word)), word.meaning) for word in protocol.EVERY_WORD],
        ),
        "settings": _table(
            ("KEY", "VALUE", "meaning"),
            [
                (
                    f"`{setting.key}{'.LABEL' if setting.label else ''}`",
                    f"{setting.least}..{setting.most}",
                    setting.meaning,
                )
                for setting in (*protocol.SETTINGS, *protocol.SMOOTHING)
            ],
        ),
    }


def _keys(line: LineFormat) -> str:
    return _table(
        ("key", "value", "meaning"),
        [(f"`{key.key}`", key.kind.value, key.meaning) for key in line.keys],
    )


def _errors(errors: Iterable[protocol.Error]) -> str:
    return _table(
        ("code", "error", "detail", "when"),
        [(str(error.code), f"`{_text(error)}`", error.detail, _when(error)) for error in errors],
    )


def _text(error: protocol.Error) -> str:
    """With its subject."""
    if error.subject is Subject.NONE:
        return error.words
    if error.of_transfer:
        words = ("tensor",) if error.subject is Subject.TENSOR else ("audio", "tensor")
        return "`, `".join(f"{word} {error.words}" for word in words)
    return f"{error.words} {'KEY' if error.words == 'set' else 'WORD'}"


def _when(error: protocol.Error) -> str:
    reason = f"`reason`: `{error.reason}`" if error.reason else ""
    return "; ".join(part for part in (error.when, reason) if part)


def _lines(word: protocol.Word) -> list[str]:
    """stages on|off -> stages on, stages off."""
    head, blank, arguments = word.usage.partition(" ")
    return [head + blank + one for one in arguments.split("|")]


def _coded(rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(f"`{first}`", second) for first, second in rows]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def main(words: Sequence[str]) -> int:
    """See above."""
    before = PAGE.read_text(encoding="utf-8")
    after = with_tables(before, tables())
    if "--write" in words:
        PAGE.write_text(after, encoding="utf-8")
    elif after != before:
        print("docs/protocol.md: its tables are not those of codegen/common/protocol/")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
