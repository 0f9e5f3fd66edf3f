# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite Micro from CMSIS-Packs: found in cmsis-pack-manager's cache, compiled as they describe.

What is compiled, with which headers in front, is the packs' own word; only the names of the packs and of the
component wanted are here.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from codegen.board.description import Board
from codegen.common.errors import UserError
from toolbox.packs.cache import PackCache, Release, version_key
from toolbox.packs.description import Description, read_description
from toolbox.packs.select import Selected, select
from toolbox.tflm.found import VARIABLE, PackSource, Tflm
from toolbox.tflm.tree import DEFINES, RELEASE, check_headers, read_registrations

TFLM = "tensorflow.tensorflow-lite-micro"
PACKS = (
    TFLM,
    "tensorflow.flatbuffers",
    "tensorflow.gemmlowp",
    "tensorflow.ruy",
    "tensorflow.kissfft",
    "ARM.CMSIS-NN",
    "ARM.CMSIS",
)
# The interpreter with CMSIS-NN's kernels; CMSIS's core headers, which CMSIS-NN's pack does not ask for.
WANTED: Sequence[Mapping[str, str]] = (
    {"Cclass": "Machine Learning", "Cgroup": "TensorFlow", "Csub": "Kernel", "Cvariant": "CMSIS-NN"},
    {"Cclass": "CMSIS", "Cgroup": "CORE"},
)
PRE_INCLUDE = "Pre_Include_Global.h"  # as the specification names it
_SOURCES = ("source", "sourceC", "sourceCpp", "sourceAsm")
_SUFFIXES = (".c", ".cc", ".cpp", ".cxx", ".s", ".S")
_CORES = {
    "cortex-m0": "Cortex-M0",
    "cortex-m0plus": "Cortex-M0+",
    "cortex-m3": "Cortex-M3",
    "cortex-m4": "Cortex-M4",
    "cortex-m7": "Cortex-M7",
    "cortex-m23": "Cortex-M23",
    "cortex-m33": "Cortex-M33",
    "cortex-m55": "Cortex-M55",
    "cortex-m85": "Cortex-M85",
}
_DSP = ("cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "cortex-m85")


def find_packs(board: Board, build: Path) -> Tflm:
    """The newest packs of the cache, unpacked under `build`. UserError: what is missing, how to get it."""
    cache = PackCache()
    files = _pack_files(cache)
    packs = [_unpacked(name, file, build / "packs") for name, file in files.items()]
    tflm = next(pack for pack in packs if pack.name == TFLM)
    selected = select(packs, WANTED, target_of(board))
    for each in selected:
        _check_files(each)
    check_headers(tflm.folder, tflm.folder)
    sources = tuple(_sources(selected))
    return Tflm(
        where=tflm.folder,
        version=f"TensorFlow Lite Micro {tflm.version}",
        library=None,
        includes=tuple(_includes(selected, build / "packs" / board.name)),
        defines=(*DEFINES, *RELEASE),
        registrations=read_registrations(tflm.folder),
        kernels=frozenset(source.file.stem for source in sources if "kernels" in source.file.parts),
        sources=sources,
        packs=tuple(str(pack) for pack in packs),
    )


def target_of(board: Board) -> Mapping[str, str]:
    """What the packs' conditions ask of a device and a compiler."""
    core = board.core or ""
    double = board.fpu is not None and "sp" not in board.fpu
    return {
        "Dcore": _CORES.get(core, core),
        "Dfpu": "NO_FPU" if board.fpu is None else "DP_FPU" if double else "SP_FPU",
        "Ddsp": "DSP" if core in _DSP else "NO_DSP",
        "Dmve": "NO_MVE",
        "Dendian": "Little-endian",
        "Dtz": "NO_TZ",
        "Dsecure": "Non-secure",
        "Tcompiler": "GCC",
        "Toptions": "",
    }


def _pack_files(cache: PackCache) -> dict[str, Path]:
    """Name -> .pack. What is not here is asked of the network, once."""
    here = {name: cache.pack_file(name) for name in PACKS}
    missing = [name for name, file in here.items() if file is None]
    indexed = None
    if missing and not any(_releases(cache, name) for name in missing):
        cache.update()
        indexed = any(cache.folder.glob("*.pdsc"))
    for name in missing:
        for release in _releases(cache, name)[-1:]:
            here[name] = cache.fetch(release)
    lacking = [name for name, file in here.items() if file is None]
    if lacking:
        reason = (
            "The index of packs is empty and no network brings it: cmsis-pack-manager got nothing."
            if indexed is False
            else "The index of packs does not have them, or no network brings them."
        )
        raise UserError(
            "there is no TensorFlow Lite Micro: tflm= names no checkout, and in the cache of CMSIS-Packs "
            f"{'is' if len(lacking) == 1 else 'are'} missing: {', '.join(lacking)}",
            file=cache.folder,
            remedy=f"{reason}\n  Name a checkout whose library is built: tflm=DIR, or {VARIABLE}; or lay the "
            "packs' files there as VENDOR/PACK/VERSION.pack. docs/engines.md says how to come by both.",
        )
    return {name: file for name, file in here.items() if file is not None}


def _releases(cache: PackCache, name: str) -> list[Release]:
    """Of the descriptions in the cache, VENDOR.PACK.VERSION.pdsc; the oldest first."""
    vendor, pack = name.split(".", 1)
    versions = [file.name[len(name) + 1 : -5] for file in cache.folder.glob(f"{name}.*.pdsc")]
    known = [version for version in versions if version[:1].isdigit()]
    return [Release(vendor, pack, version) for version in sorted(known, key=version_key)]


def _unpacked(name: str, file: Path, where: Path) -> Description:
    """The pack's description; unpacked whole or not at all."""
    stamp = file.stat()
    folder = where / name / f"{file.stem}-{stamp.st_mtime_ns:x}-{stamp.st_size:x}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as new:
            inside = Path(new) / "pack"
            try:
                with zipfile.ZipFile(file) as archive:
                    archive.extractall(inside)
            except (OSError, zipfile.BadZipFile, EOFError) as error:
                raise UserError(
                    f"it is no pack: {error}", file=file, remedy="A .pack is a zip file; fetch it again."
                ) from None
            description = read_description(inside)
            if description.name != name:
                raise UserError(f"it is the pack {description.name}, not {name}", file=file)
            shutil.move(inside, folder)
    return read_description(folder)


def _check_files(selected: Selected) -> None:
    """A stub has a description and not the files that it lists."""
    folder = selected.pack.folder
    lost = [file.name for file in selected.files if not (folder / file.name).exists()]
    if lost:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise UserError(
            f"{selected.pack} lists files for {selected.component.name} that are not in it: "
            f"{', '.join(lost[:3])}{more}",
            file=folder,
            remedy="It is a stub or incomplete: fetch the whole pack again.",
        )


def _sources(selected: Iterable[Selected]) -> Iterable[PackSource]:
    for each in selected:
        for file in each.files:
            if file.category in _SOURCES and PurePosixPath(file.name).suffix in _SUFFIXES:
                yield PackSource(each.pack.folder / file.name, each.pack.name)


def _includes(selected: Sequence[Selected], made: Path) -> Iterable[Path]:
    """The folders the packs name, and one with the headers whose text they give."""
    folders: dict[Path, None] = {}
    for each in selected:
        for file in each.files:
            if file.category == "include":
                folders[each.pack.folder / file.name] = None
            elif file.category == "header":
                folder = file.path or str(PurePosixPath(file.name).parent)
                folders[each.pack.folder / folder] = None
    made.mkdir(parents=True, exist_ok=True)
    for name, texts in (
        ("RTE_Components.h", [each.component.components_h for each in selected]),
        (PRE_INCLUDE, [each.component.pre_include for each in selected]),
    ):
        text = "#pragma once\n" + "\n".join(line.strip() for text in texts for line in text.splitlines())
        if not (made / name).is_file() or (made / name).read_text() != text + "\n":
            (made / name).write_text(text + "\n")
    return [*folders, made]
