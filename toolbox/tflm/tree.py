# SPDX-License-Identifier: Apache-2.0
"""A checkout of TensorFlow Lite Micro in which its own Makefile built the library for a board's core."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from codegen.board.description import Board
from codegen.common.errors import UserError
from codegen.emit.tflm import Registrations, registrations
from toolbox.tflm.archive import Library, misfit, read_library
from toolbox.tflm.found import LIBRARY, VARIABLE, Tflm

MICRO = "tensorflow/lite/micro"
RESOLVER = f"{MICRO}/micro_mutable_op_resolver.h"
# What the shim includes, and a word of it that other versions do not have.
_HEADERS: Mapping[str, str] = {
    f"{MICRO}/micro_interpreter.h": "MicroInterpreter",
    f"{MICRO}/micro_allocator.h": "MicroAllocator",
    f"{MICRO}/micro_resource_variable.h": "MicroResourceVariables",
    f"{MICRO}/micro_common.h": "TFLMRegistration",
    f"{MICRO}/debug_log.h": "va_list",
    f"{MICRO}/kernels/micro_ops.h": "TFLMRegistration",
    RESOLVER: "AddBuiltin",
    "tensorflow/lite/schema/schema_generated.h": "BuiltinOperator_CONV_2D",
}
# A header of each third party that TFLM's own headers include.
_THIRD_PARTY: Mapping[str, str] = {
    "flatbuffers": "flatbuffers/flatbuffers.h",
    "gemmlowp": "fixedpoint/fixedpoint.h",
    "ruy": "ruy/profiler/instrumentation.h",
}
_PLACES = (f"{MICRO}/tools/make/downloads", "third_party")  # where TFLM's build puts them, and its exports
_SKIPPED = frozenset((".git", "obj", "node_modules", "__pycache__"))
# Both must be as the library was built. RELEASE: its headers then hold no text for errors.
DEFINES = ("TF_LITE_STATIC_MEMORY", "TF_LITE_DISABLE_X86_NEON", "TF_LITE_MCU_DEBUG_LOG", "CMSIS_NN")
RELEASE = ("NDEBUG", "TF_LITE_STRIP_ERROR_STRINGS")
CMSIS_NN = "arm_nn_mat_mult_nt_t_s8"  # of every CMSIS-NN since 2019: the library has its kernels


def find_tree(folder: Path, board: Board) -> Tflm:
    """The TFLM in a checkout. UserError with what is missing and the step that makes it."""
    root = _root(folder)
    version = f"TensorFlow Lite Micro {_commit(root)}"
    library = _library(root, folder, board)
    return Tflm(
        where=root,
        version=version,
        library=library.file,
        includes=(root, *third_party(root, folder)),
        defines=(*DEFINES, *RELEASE),
        registrations=read_registrations(root),
        kernels=kernel_names(root),
    )


def documented_step(board: Board) -> str:
    """What TFLM's documentation builds the library for a board's core with."""
    return (
        f"make -f {MICRO}/tools/make/Makefile TARGET=cortex_m_generic TARGET_ARCH={_arch(board)} "
        "OPTIMIZED_KERNEL_DIR=cmsis_nn microlite"
    )


def check_headers(root: Path, where: Path) -> None:
    """UserError unless the headers that the shim includes are there, as it knows them."""
    for header, word in _HEADERS.items():
        file = root / header
        try:
            known = word in file.read_text("utf-8", "replace")
            found = "it is another than Earshot knows" if not known else ""
        except OSError:
            found = "it is missing"
        if found:
            raise UserError(
                f"this is another version of TensorFlow Lite Micro than Earshot works with: {found}",
                file=where,
                place=header,
                remedy="Take a TensorFlow Lite Micro of 2024 or later; docs/engines.md names the one tested.",
            )


def read_registrations(root: Path) -> Registrations:
    """What this TFLM can register, from its headers."""
    kernels = sorted((root / MICRO / "kernels").glob("*.h"))
    texts = (file.read_text("utf-8", "replace") for file in kernels)
    return registrations((root / RESOLVER).read_text("utf-8", "replace"), texts)


def kernel_names(root: Path) -> frozenset[str]:
    """Names, without suffix, of the sources of TFLM's kernels: how an archive names their objects."""
    folders = (f"{MICRO}/kernels", "tensorflow/lite/kernels")
    return frozenset(file.stem for folder in folders for file in (root / folder).rglob("*.cc"))


def third_party(root: Path, where: Path) -> tuple[Path, ...]:
    """The folders to include for TFLM's third parties. UserError naming those that are nowhere."""
    found = {name: _include_folder(root, header) for name, header in _THIRD_PARTY.items()}
    missing = [name for name, folder in found.items() if folder is None]
    if missing:
        names = ", ".join(f"{name} ({_THIRD_PARTY[name]})" for name in missing)
        raise UserError(
            f"TensorFlow Lite Micro's third-party headers are missing: {names}",
            file=where,
            remedy=f"TFLM's build puts them into {_PLACES[0]}: run its `microlite` step in this checkout.",
        )
    return tuple(sorted({folder for folder in found.values() if folder is not None}))


def _root(folder: Path) -> Path:
    """The checkout's root: the folder itself, one above it, or the only one some way below."""
    if not folder.exists():
        raise UserError(
            "there is no such folder",
            file=folder,
            remedy=f"tflm= and {VARIABLE} name a checkout of TensorFlow Lite Micro.",
        )
    for candidate in (folder, *folder.parents):
        if (candidate / MICRO).is_dir():
            check_headers(candidate, folder)
            return candidate
    below = [Path(at) for at in _walk(folder, 3) if (Path(at) / MICRO).is_dir()]
    if len(below) == 1:
        check_headers(below[0], folder)
        return below[0]
    raise UserError(
        f"no TensorFlow Lite Micro is here: nothing holds {MICRO}"
        if not below
        else f"several are here: {', '.join(str(path) for path in below)}",
        file=folder,
        remedy="Name the root of one checkout; docs/engines.md says how to come by it.",
    )


def _library(root: Path, folder: Path, board: Board) -> Library:
    """The library for the board, of several the one built last; where a file was named, that one."""
    files = [folder] if folder.is_file() else _libraries(root)
    if not files:
        raise UserError(
            f"its library is not built: {LIBRARY} is nowhere in this checkout",
            file=root,
            remedy=f"{MICRO}/cortex_m_generic/README.md builds it, in the checkout:\n"
            f"    {documented_step(board)}",
        )
    found = [read_library(file) for file in files]
    reasons = {library.file: _reason(library, board) for library in found}
    fitting = [library for library in found if reasons[library.file] is None]
    if not fitting:
        reported = "\n".join(f"    {file.relative_to(root)}: {reason}" for file, reason in reasons.items())
        raise UserError(
            f"no library in it fits the board {board.name}:\n{reported}",
            file=root,
            remedy=f"Build one for {board.name} in the checkout:\n    {documented_step(board)}",
        )
    return max(fitting, key=lambda library: (library.file.stat().st_mtime, str(library.file)))


def _reason(library: Library, board: Board) -> str | None:
    """Why a library does not serve; None where it does."""
    if CMSIS_NN not in library.symbols:
        return "it has no CMSIS-NN (OPTIMIZED_KERNEL_DIR=cmsis_nn was not given)"
    return misfit(library.target, board)


def _libraries(root: Path) -> list[Path]:
    """First where TFLM's build puts them; else anywhere."""
    usual = sorted(root.glob(f"gen/*/lib/{LIBRARY}"))
    return usual or sorted(Path(at) / LIBRARY for at in _walk(root, 12) if (Path(at) / LIBRARY).is_file())


def _include_folder(root: Path, header: str) -> Path | None:
    """The folder to include so that `header` is found."""
    for place in _PLACES:
        for pattern in (f"*/include/{header}", f"*/{header}", header):
            for file in sorted((root / place).glob(pattern)):
                return file.parents[len(Path(header).parts) - 1]
    for at in _walk(root, 12):
        if (Path(at) / header).is_file():
            return Path(at)
    return None


def _walk(folder: Path, depth: int) -> Iterator[str]:
    """Folders below, sorted, down to a depth; without those that hold no sources."""
    for at, names, _ in os.walk(folder):
        names[:] = sorted(name for name in names if name not in _SKIPPED)
        if len(Path(at).relative_to(folder).parts) >= depth:
            names[:] = []
        yield at


def _commit(root: Path) -> str:
    """The checkout's commit, or that it has none."""
    git = ["git", "-C", str(root), "rev-parse", "--short=12", "--show-cdup", "HEAD"]
    try:
        done = subprocess.run(git, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except OSError:
        return "of unknown version"
    words = done.stdout.split()
    # An empty answer to --show-cdup: the checkout is the folder itself, not some other one around it.
    return words[0] if done.returncode == 0 and len(words) == 1 else "of unknown version"


def _arch(board: Board) -> str:
    """TFLM's TARGET_ARCH for a board."""
    core = board.core or ""
    if core in ("cortex-m4", "cortex-m7") and board.fpu:
        return f"{core}+fp"
    if core == "cortex-m33" and not board.fpu:
        return f"{core}+nodsp"
    return core
