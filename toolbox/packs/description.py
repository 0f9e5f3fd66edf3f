# SPDX-License-Identifier: Apache-2.0
"""A pack's description (.pdsc): its components, the conditions they name, and their files.

After Arm's Open-CMSIS-Pack specification, PDSC format; devices are read by cmsis-pack-manager.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from codegen.common.errors import UserError


@dataclass(frozen=True)
class Expression:
    """One line of a condition. rule: "accept", "require" or "deny"."""

    rule: str
    attributes: Mapping[str, str]  # Dcore, Tcompiler, Cclass, ..., or `condition`: the name of another


@dataclass(frozen=True)
class File:
    """A file of a component, or a folder where `category` is "include"."""

    category: str  # "source", "sourceC", "sourceCpp", "header", "include", ...
    name: str  # from the pack's root
    attr: str = ""  # "config": the project may change it; "template": only an example
    condition: str = ""
    path: str = ""  # of a header: the folder to include


@dataclass(frozen=True)
class Component:
    """What a project can choose. Its name has five parts; of variants a project takes one."""

    attributes: Mapping[str, str]  # Cclass, Cgroup, Csub, Cvariant, Cversion, ...
    condition: str
    files: tuple[File, ...]
    pre_include: str = ""  # text of a header that every file of the project includes first
    components_h: str = ""  # text for RTE_Components.h

    @property
    def name(self) -> str:
        """Class:Group:Sub&Variant, as the specification writes it."""
        parts = [self.attributes.get(key, "") for key in ("Cclass", "Cgroup", "Csub")]
        variant = self.attributes.get("Cvariant", "")
        return ":".join(part for part in parts if part) + (f"&{variant}" if variant else "")


@dataclass(frozen=True)
class Description:
    """One pack. folder: its root, where it is unpacked."""

    vendor: str
    pack: str
    version: str
    folder: Path
    conditions: Mapping[str, tuple[Expression, ...]] = field(default_factory=dict)
    components: tuple[Component, ...] = ()

    @property
    def name(self) -> str:
        """Vendor.Pack."""
        return f"{self.vendor}.{self.pack}"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def read_description(folder: Path) -> Description:
    """Of an unpacked pack. UserError where its .pdsc is missing, not XML, or tells no vendor and name."""
    files = sorted(folder.glob("*.pdsc"))
    if len(files) != 1:
        raise UserError(f"it has {len(files)} descriptions (.pdsc) at its top, a pack has one", file=folder)
    (file,) = files
    try:
        root = ET.parse(file).getroot()
    except (OSError, ET.ParseError) as error:
        raise UserError(f"not the description of a pack: {error}", file=file) from None
    vendor, pack = ((root.findtext(tag) or "").strip() for tag in ("vendor", "name"))
    release = root.find("releases/release")
    if not vendor or not pack or release is None:
        raise UserError("it has no vendor, name and release, which a pack description has", file=file)
    components = [(dict(each.attrib), each) for each in root.findall("components/component")]
    for bundle in root.findall("components/bundle"):
        shared = {key: bundle.get(key, "") for key in ("Cclass", "Cvendor") if bundle.get(key)}
        components += [({**shared, **each.attrib}, each) for each in bundle.findall("component")]
    return Description(
        vendor=vendor,
        pack=pack,
        version=release.get("version", ""),
        folder=folder,
        conditions={
            condition.get("id", ""): tuple(
                Expression(line.tag, dict(line.attrib))
                for line in condition
                if line.tag in ("accept", "require", "deny")
            )
            for condition in root.findall("conditions/condition")
        },
        components=tuple(_component(attributes, element) for attributes, element in components),
    )


def _component(attributes: Mapping[str, str], element: ET.Element) -> Component:
    return Component(
        attributes={key: value for key, value in attributes.items() if key != "condition"},
        condition=attributes.get("condition", ""),
        files=tuple(
            File(
                category=file.get("category", "other"),
                name=file.get("name", "").replace("\\", "/"),
                attr=file.get("attr", ""),
                condition=file.get("condition", ""),
                path=file.get("path", "").replace("\\", "/"),
            )
            for file in element.findall("files/file")
        ),
        pre_include=element.findtext("Pre_Include_Global_h") or "",
        components_h=element.findtext("RTE_Components_h") or "",
    )
