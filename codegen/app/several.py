# SPDX-License-Identifier: Apache-2.0
"""[[classifier]]: several models behind one front end, each read as an app with one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from codegen.app.rules import did_you_mean, found
from codegen.app.spec import Waits
from codegen.common.errors import UserError
from codegen.common.toml_place import Key, TomlFile

MOST = 16  # classifiers
STAYS_MOST = 1_000_000  # windows
OWN = ("cascade", "decision")  # sections that a classifier may have of its own
NAME_MOST = 20  # characters
NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{NAME_MOST - 1}}}")
TAKEN = ("gate", "decision")  # words with which a setting's key begins


Fault = Callable[[str, str, str], None]  # what, remedy, key


@dataclass(frozen=True)
class Member:
    """One classifier.

    toml: the file as if it were the only one
    faults: of the keys that several have
    """

    toml: TomlFile
    name: str
    waits: Waits | None
    faults: list[UserError] = field(default_factory=list)


def members(toml: TomlFile) -> list[Member]:
    """The classifiers of a file with [[classifier]]; none where it has [classifier] or no such section."""
    tables = toml.data.get("classifier")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        return []
    read: list[Member] = []
    for index in range(len(tables)):
        before = {member.name: _labels(member.toml) for member in read}
        read.append(_member(toml, tables[index], index, before))
    if len(tables) > MOST:
        place = toml.place("classifier", MOST)
        what = f"there are {len(tables)} classifiers; {MOST} are allowed"
        read[0].faults.append(UserError(what, file=toml.path, place=place, remedy="Leave some away."))
    return read


def _member(toml: TomlFile, table: Mapping[str, Any], index: int, before: Mapping[str, list[str]]) -> Member:
    faults: list[UserError] = []

    def fault(what: str, remedy: str, key: str) -> None:
        place = toml.place("classifier", index, key)
        faults.append(UserError(what, file=toml.path, place=place, remedy=remedy))

    name = table.get("name", "")
    if "name" not in table:
        fault("is missing", 'Each of several classifiers has a name of its own: name = "alexa"', "name")
    elif not isinstance(name, str) or not NAME.fullmatch(name):
        what = f"found {found(name)}; a name is a small letter, then up to 19 of them, digits and _"
        fault(what, 'Write for example name = "alexa".', "name")
        name = ""
    elif name in before:
        fault(f'"{name}" names an earlier classifier, too', "Give each its own name.", "name")
    elif name in TAKEN:
        fault(f'"{name}" is the first word of a setting', "Choose another name.", "name")
    waits = _waits(table, before, fault)
    own = {section: table[section] for section in OWN if section in table}
    keys = {key: value for key, value in table.items() if key not in (*OWN, "name", "waits_for", "stays")}
    for section in [key for key, value in keys.items() if isinstance(value, dict)]:
        near = did_you_mean(section, list(OWN))
        what = "is no section that a classifier has of its own"
        fault(what, near or f"Those are {' and '.join(OWN)}; all else is one for all classifiers.", section)
        del keys[section]
    data = {**toml.data, **own, "classifier": keys}
    return Member(TomlFile(toml.path, data, _lines(toml.lines, index, own)), name, waits, faults)


def _waits(table: Mapping[str, Any], before: Mapping[str, list[str]], fault: Fault) -> Waits | None:
    """before: labels of the classifiers before this one, by name."""
    if "waits_for" not in table:
        if "stays" in table:
            fault("is of a classifier that waits for another", 'Write waits_for = "NAME", too.', "stays")
        return None
    opener, stays = table["waits_for"], table.get("stays")
    name, dot, label = opener.partition(".") if isinstance(opener, str) else ("", "", "")
    if name not in before:
        remedy = f"Before it stand: {', '.join(before)}." if before else "The first one waits for none."
        fault(
            f'found {found(opener)}; "NAME" or "NAME.LABEL" of a classifier before it is allowed',
            remedy,
            "waits_for",
        )
        return None
    if dot and label not in before[name]:
        fault(f'"{name}" has no label "{label}"', f"Its labels: {', '.join(before[name])}.", "waits_for")
        return None
    if not isinstance(stays, int) or isinstance(stays, bool) or not 1 <= stays <= STAYS_MOST:
        what = "is missing" if stays is None else f"found {found(stays)}; 1..{STAYS_MOST} windows are allowed"
        fault(what, "Write for how many windows it runs after a detection: stays = 200", "stays")
        return None
    at = before[name].index(label) + 1 if dot else 0
    return Waits(opener, list(before).index(name), at, stays)


def _labels(toml: TomlFile) -> list[str]:
    """Of one classifier, as far as they are texts: what else they are is said elsewhere."""
    decision = toml.data.get("decision")
    labels = decision.get("labels") if isinstance(decision, dict) else None
    return [label for label in labels if isinstance(label, str)] if isinstance(labels, list) else []


def _lines(lines: Mapping[Key, int], index: int, own: Mapping[str, Any]) -> dict[Key, int]:
    """Where the keys of one classifier's file stand."""
    kept = {key: line for key, line in lines.items() if key[0] != "classifier" and key[0] not in own}
    for key, line in lines.items():
        if key[:2] == ("classifier", index):
            rest = key[2:]
            kept[rest if rest and rest[0] in own else ("classifier", *rest)] = line
    return kept
