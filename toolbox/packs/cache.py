# SPDX-License-Identifier: Apache-2.0
"""The folder in which cmsis-pack-manager keeps packs and their index.

cmsis-pack-manager raises nothing when it reaches no network, when it cannot read a description, or when a
pack names a core it does not know: what counts is what lies in the index and in the folder afterwards.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.common.errors import UserError

VARIABLE = "EARSHOT_PACKS"  # names another folder
_WORD = re.compile(r"[A-Za-z0-9_+.-]+")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Release:
    """A release of a pack."""

    vendor: str
    pack: str
    version: str

    @property
    def name(self) -> str:
        """Vendor.Pack, as board.toml writes it."""
        return f"{self.vendor}.{self.pack}"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Chip:
    """One device of the index."""

    name: str
    release: Release
    memories: Mapping[str, Mapping[str, Any]]  # name -> start, size, access
    processors: tuple[Mapping[str, Any], ...]  # core, fpu and more
    algorithms: tuple[str, ...]  # files that program its flash


class PackCache:
    """One folder: index.json, descriptions, and Vendor/Pack/version.pack, as pyOCD looks for them too."""

    def __init__(self, folder: Path | None = None, indexes: Path | None = None) -> None:
        """folder: default $EARSHOT_PACKS, else cmsis-pack-manager's own.

        indexes: a file with the address of an index a line, in place of Arm's public one.
        """
        if indexes is not None and not indexes.is_file():
            raise UserError(
                "there is no such file", file=indexes, remedy="It has the address of an index a line."
            )
        self._indexes = None if indexes is None else str(indexes.resolve())
        if folder is None:
            named = os.environ.get(VARIABLE)
            folder = Path(named) if named else _default_folder()
        self.folder = folder

    def chips(self) -> dict[str, Chip]:
        """The index by the device's name; empty where nothing was indexed yet."""
        index = self._manager().index
        return {name: _chip(name, entry) for name, entry in index.items()}

    def chip(self, device: str) -> Chip | None:
        """The device of that name, whatever the case; a device with variants is known by its first one."""
        chips = self.chips()
        exact = {name.lower(): name for name in chips}.get(device.lower())
        names = (
            [exact] if exact else sorted(name for name in chips if name.lower().startswith(device.lower()))
        )
        return chips[names[0]] if names else None

    def update(self) -> int:
        """Fetches the descriptions of all packs; how many devices the index has then: 0 without a network."""
        print("earshot: asking the network for the index of packs", file=sys.stderr, flush=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._manager().cache_descriptors()
        return len(self._manager().index)

    def fetch(self, release: Release) -> Path | None:
        """Downloads a pack of the index where it is not here yet; None where no network brings it."""
        from cmsis_pack_manager import CmsisPackRef

        file = self._file(release)
        if not file.is_file():
            print(f"earshot: fetching {release}", file=sys.stderr, flush=True)
            self._manager().download_pack_list([CmsisPackRef(release.vendor, release.pack, release.version)])
        return file if file.is_file() else None

    def add_description(self, file: Path) -> Release:
        """Takes a .pdsc into the index. UserError where it is none, or has no device that can be taken."""
        release, devices = _read_description(file)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._manager().add_pack_from_path(str(file.resolve()))
        known = {chip.release for chip in self.chips().values()}
        if devices and release not in known:
            raise UserError(
                f"none of the {devices} devices of {release} could be taken",
                file=file,
                remedy="cmsis-pack-manager drops all devices of a pack that names a core it does not know, "
                "and those a newer release in its index has too.",
            )
        kept = self._file(release).parents[2] / f"{release.name}.{release.version}.pdsc"  # fetch() needs it
        if not (kept.is_file() and kept.samefile(file)):
            shutil.copyfile(file, kept)
        return release

    def add_pack(self, file: Path) -> Release:
        """Takes a .pack, a zip with one .pdsc: into the index, and to where pyOCD finds it."""
        try:
            with zipfile.ZipFile(file) as archive:
                names = [name for name in archive.namelist() if name.endswith(".pdsc") and "/" not in name]
                text = archive.read(names[0]) if len(names) == 1 else None
        except (OSError, zipfile.BadZipFile) as error:
            raise UserError(f"it is no pack: {error}", file=file, remedy="A .pack is a zip file.") from None
        if text is None:
            raise UserError(
                f"it has {len(names)} descriptions at its top, a pack has one",
                file=file,
                remedy="Name a .pack.",
            )
        with tempfile.TemporaryDirectory(prefix="earshot-pack-") as folder:
            description = Path(folder) / names[0]
            description.write_bytes(text)
            release = self.add_description(description)
        target = self._file(release)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file() or not target.samefile(file):
            shutil.copyfile(file, target)
        return release

    def pack_file(self, name: str, version: str | None = None) -> Path | None:
        """The .pack of `Vendor.Pack` that is here: this version, or the newest; None where there is none."""
        folder = self.folder.joinpath(*name.split(".", 1))
        found = sorted(folder.glob("*.pack"), key=lambda file: version_key(file.stem))
        if version is not None:
            found = [file for file in found if file.stem == version]
        return found[-1] if found else None

    def _file(self, release: Release) -> Path:
        for word in (release.vendor, release.pack, release.version):
            if not _WORD.fullmatch(word) or word.startswith("."):
                raise UserError(f'"{word}" of the pack {release} cannot be the name of a file')
        return self.folder / release.vendor / release.pack / f"{release.version}.pack"

    def _manager(self) -> Any:
        """A fresh one each time: it reads index.json once and keeps it."""
        from cmsis_pack_manager import Cache

        return Cache(
            True, True, json_path=str(self.folder), data_path=str(self.folder), vidx_list=self._indexes
        )


def version_key(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Sorts releases: by their numbers; 1.2.0-rc1 comes before 1.2.0."""
    plain, _, rest = version.partition("-")
    return tuple(int(number) for number in _NUMBER.findall(plain)), not rest, rest


def _default_folder() -> Path:
    from cmsis_pack_manager import Cache

    return Path(Cache(True, True).data_path)


def _chip(name: str, entry: Mapping[str, Any]) -> Chip:
    source = entry["from_pack"]
    return Chip(
        name=name,
        release=Release(source["vendor"], source["pack"], source["version"]),
        memories=entry["memories"],
        processors=tuple(entry["processors"]),
        algorithms=tuple(str(algorithm["file_name"]) for algorithm in entry["algorithms"]),
    )


def _read_description(file: Path) -> tuple[Release, int]:
    """The newest release of a .pdsc, and how many devices it describes."""
    try:
        root = ET.parse(file).getroot()
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=file) from None
    except ET.ParseError as error:
        raise UserError(f"not XML: {error}", file=file, remedy="Name a .pdsc file.") from None
    words = [(root.findtext(tag) or "").strip() for tag in ("vendor", "name")]
    newest = root.find("releases/release")
    version = newest.get("version", "") if newest is not None else ""
    if root.tag != "package" or not all((*words, version)):
        raise UserError("it has no vendor, name and release, which a pack description has", file=file)
    return Release(words[0], words[1], version), len(root.findall("devices//device"))
