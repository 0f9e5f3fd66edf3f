# SPDX-License-Identifier: Apache-2.0
"""Which components of some packs a project gets, and which of their files, by the packs' own conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from codegen.common.errors import UserError
from toolbox.packs.description import Component, Description, Expression, File

_DEEPEST = 32  # conditions within conditions


@dataclass(frozen=True)
class Selected:
    """A component and the files of it that the target gets."""

    pack: Description
    component: Component
    files: tuple[File, ...]


def select(
    packs: Sequence[Description], wanted: Sequence[Mapping[str, str]], target: Mapping[str, str]
) -> list[Selected]:
    """The wanted components and all that they require, in the order they were asked for.

    wanted: attributes that name a component each: Cclass, Cgroup, ...
    target: what it is built for: Dcore, Dfpu, Tcompiler, ...; an attribute that is not there matches nothing
    UserError: a component is nowhere, or is not for this target.
    """
    return _Selection(packs, target).all(wanted)


class _Selection:
    def __init__(self, packs: Sequence[Description], target: Mapping[str, str]) -> None:
        self._packs = packs
        self._target = target
        self._chosen: list[tuple[Description, Component]] = []

    def all(self, wanted: Sequence[Mapping[str, str]]) -> list[Selected]:
        for attributes in wanted:
            self._choose(attributes, None)
        return [Selected(pack, component, self._files(pack, component)) for pack, component in self._chosen]

    def _choose(self, attributes: Mapping[str, str], asker: Description | None) -> None:
        """The component of that name, first of the asker's own pack, then of the others."""
        packs = sorted(self._packs, key=lambda pack: pack is not asker)
        named = [(pack, each) for pack in packs for each in pack.components if _is(each, pack, attributes)]
        if any(chosen in self._chosen for chosen in named):
            return
        fitting = [(pack, each) for pack, each in named if self._holds(pack, each.condition)]
        if not fitting:
            asked = f", which {asker} requires," if asker is not None else ""
            name = Component(attributes, "", ()).name
            known = ", ".join(str(pack) for pack in self._packs) or "none"
            what = "is not for this core" if named else "is in none of the packs"
            raise UserError(f"the component {name}{asked} {what}: {known}")
        self._chosen.append(fitting[0])
        self._require(*fitting[0])

    def _require(self, pack: Description, component: Component) -> None:
        """What its condition wants to be chosen too."""
        for attributes in self._wishes(pack, component.condition, 0):
            self._choose(attributes, pack)

    def _wishes(self, pack: Description, condition: str, depth: int) -> list[Mapping[str, str]]:
        found: list[Mapping[str, str]] = []
        for line in self._lines(pack, condition, depth):
            if line.rule == "deny":
                continue
            if "condition" in line.attributes:
                if line.rule == "require" or self._holds(pack, line.attributes["condition"]):
                    found += self._wishes(pack, line.attributes["condition"], depth + 1)
            elif "Cclass" in line.attributes and line.rule == "require":
                found.append(line.attributes)
        return found

    def _files(self, pack: Description, component: Component) -> tuple[File, ...]:
        return tuple(
            file for file in component.files if file.attr != "template" and self._holds(pack, file.condition)
        )

    def _holds(self, pack: Description, condition: str, depth: int = 0) -> bool:
        """Every `require`, no `deny`, and one `accept` where there are any. A component is taken as given:
        whether it is there shows when it is chosen."""
        accepts = []
        for line in self._lines(pack, condition, depth):
            if "condition" in line.attributes:
                true = self._holds(pack, line.attributes["condition"], depth + 1)
            elif "Cclass" in line.attributes:
                true = line.rule != "deny"
            else:
                true = all(
                    fnmatchcase(self._target.get(key, ""), value) for key, value in line.attributes.items()
                )
            if line.rule == "accept":
                accepts.append(true)
            elif true == (line.rule == "deny"):
                return False
        return not accepts or any(accepts)

    def _lines(self, pack: Description, condition: str, depth: int) -> tuple[Expression, ...]:
        if not condition:
            return ()
        if depth > _DEEPEST:
            raise UserError(f'the condition "{condition}" leads to itself', file=str(pack))
        if condition not in pack.conditions:
            raise UserError(f'it names a condition "{condition}" that it does not have', file=str(pack))
        return pack.conditions[condition]


def _is(component: Component, pack: Description, attributes: Mapping[str, str]) -> bool:
    """All the parts of a name that are asked for are the component's."""
    theirs = {"Cvendor": pack.vendor, **component.attributes}
    return all(
        theirs.get(key, "") == value
        for key, value in attributes.items()
        if key in ("Cclass", "Cgroup", "Csub", "Cvariant", "Cvendor", "Cbundle")
    )
