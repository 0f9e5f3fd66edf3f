# SPDX-License-Identifier: Apache-2.0
"""Objects, image and its forms; on the board pc also the library that the workbench loads."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

from SCons.Script import Action

from toolbox.makers import makers
from toolbox.options import MODEL_FLAGS

# Where every instruction counts; all else of firmware/ is compiled for size: without tables of jumps and
# without registers that hold a value for a loop's sake, and with all variables of a file in one section, so
# that code reaches them from one address.
FAST = ("pipeline/gate", "pipeline/mfcc", "pipeline/micro_frontend", "pipeline/log_mel", "nn/")
SMALL = (
    "-Os",
    "-fno-schedule-insns2",
    "-fno-jump-tables",
    "-fno-move-loop-invariants",
    "-fno-data-sections",
)
# What nothing but an image's own main() calls: the compiler sees it as one, when it links. With it what tells
# whether the chip can count clocks: where not, nothing of it is left.
TOGETHER = ("device/", "mlperf/", "port/cortex_m/cycles", "port/mps2/cycles")
# Texts alone, generated: packed, and each an object that the linker leaves out where it is not used.
TABLE, PACKED = "protocol_table.c", ("-Os",)


def generate(env: Any) -> None:
    """Adds env.Image(generated sources), and what other images are made of."""
    if not env["OPTIONS"].board.hosted:
        maps = [shlex.quote(flag) for flag in env["PATH_MAPS"]]  # a shell reads the command of a link
        env.Append(LINKFLAGS=[*SMALL, "-g", "-flto", "-flto-partition=none", *maps])
    fill = [] if env["OPTIONS"].board.hosted else [Action(_checksum, None)]
    shown = "$LINKCOMSTR" if "LINKCOMSTR" in env else "$LINKCOM"
    link = Action(_link, shown, varlist=["LINK", "LINKCOM", "LINKFLAGS", "LIBRARIES_LAST"])
    # Linker and objcopy write beside the target: under its own name a file is whole.
    env["IMAGE_LINK"] = [link, *fill, Action(_whole, None)]
    env.AddMethod(_image, "Image")
    env.AddMethod(_handwritten, "HandwrittenObjects")
    env.AddMethod(_generated, "GeneratedObjects")
    env.AddMethod(_measuring_image, "MeasuringImage")


def _image(env: Any, generated: list[Any]) -> list[Any]:
    """Every file of the image, for the alias that builds it."""
    options = env["OPTIONS"]
    folder = options.folder
    capture = "device/capture" if options.spec.device.capture else "device/no_capture"
    models = "device/several_models" if options.spec.others else "device/one_model"
    rooms = [
        "device",
        capture,
        models,
        "device/smoothed" if options.spec.smooths else "device/unsmoothed",
        f"port/{options.board.port}",
        *([] if options.board.hosted else ["port/cortex_m"]),
    ]
    rooms += [*env["ENGINE_ROOMS"], *(f"{room}/device" for room in env["ENGINE_ROOMS"])]
    runtime = _handwritten(env, "pipeline", "nn")
    made = _generated(env, generated)
    objects = [*runtime, *made, *_main(env, _handwritten(env, *rooms))]
    env.CompileCommands(objects)

    # TensorFlow Lite Micro calls itself and through pointers of its own: no bound of its stack is known.
    bounded = [Action(_stack, None)] if options.engine == "aot" and not options.board.hosted else []
    suffix = "" if options.board.hosted else ".elf"
    map_flag = "-Wl,-map" if sys.platform == "darwin" and options.board.hosted else "-Wl,-Map"
    elf, link_map = env.Command(
        [f"{folder}/firmware{suffix}", f"{folder}/firmware.map"],
        [*objects, *env["ENGINE_LIBRARY"]],
        [*env["IMAGE_LINK"], *bounded, *env["ENGINE_CHECK"]],
        LINKFLAGS=[*env["LINKFLAGS"], f"{map_flag},{env.File(f'{folder}/firmware.map')}"],
    )
    env.Depends(elf, [node for node in generated if node.name == "linker.ld"])
    files = [elf, link_map]
    env.Depends(elf, makers("toolbox", "site_scons"))
    if options.board.hosted:
        chain = [node for node in made if node.name not in ("app.o", "mlperf.o", "protocol_table.o")]
        files += _library(env, f"{folder}/libearshot.so", [*runtime, *chain])
    else:
        for form, name in (("binary", "bin"), ("ihex", "hex")):
            copy = [Action("$OBJCOPYCOM", "$OBJCOPYCOMSTR"), Action(_whole, None)]
            files += env.Command(f"{folder}/firmware.{name}", elf, copy, OBJCOPYFLAGS=["-O", form])
    return [*files, *env.SizeTable(f"{folder}/size.txt", elf, files)]


def _main(env: Any, objects: list[Any]) -> list[Any]:
    """With another main than that of device/, where the image is for a benchmark's runner."""
    if env["OPTIONS"].mlperf is None:
        return objects
    others = [node for node in objects if not node.path.endswith("/device/main.o")]
    return [*others, *_handwritten(env, "mlperf")]


def _measuring_image(env: Any, sources: list[Any]) -> Any:
    """measure.elf: the engine tflm with as large an arena as fits; firmware/tflm/measure for device/."""
    options = env["OPTIONS"]
    made = [*env.BoardSources(), *sources, *env.MeasuredSources()]
    rooms = [f"port/{options.board.port}", "port/cortex_m", *env["ENGINE_ROOMS"]]
    rooms += [f"{room}/measure" for room in env["ENGINE_ROOMS"]]
    objects = [*_handwritten(env, *rooms), *_generated(env, made), *env["ENGINE_LIBRARY"]]
    elf = env.Command(f"{options.folder}/measure.elf", objects, env["IMAGE_LINK"])
    env.Depends(elf, [node for node in made if node.name == "linker.ld"])
    return elf[0]


def _link(target: list[Any], source: list[Any], env: Any) -> int:
    from toolbox.link import link

    options = env["OPTIONS"]
    command = env.subst("$LINKCOM", target=target, source=source)
    link_map = next((Path(node.get_abspath()) for node in target if node.name.endswith(".map")), None)
    inherited = [env["LOCK"].fileno()]
    return link(command, env["ENV"], options.board, options.spec.file, inherited=inherited, link_map=link_map)


def _checksum(target: list[Any], source: list[Any], env: Any) -> None:
    from toolbox.checksum import fill_checksum

    fill_checksum(_part(target, env))


def _whole(target: list[Any], source: list[Any], env: Any) -> None:
    _part(target, env).replace(target[0].get_abspath())


def _part(target: list[Any], env: Any) -> Path:
    return Path(env.subst("$PART", target=target)).absolute()


def _stack(target: list[Any], source: list[Any], env: Any) -> None:
    from toolbox.stack_bound import check_stack

    check_stack(Path(target[0].get_abspath()), env["OPTIONS"].board)


def _handwritten(env: Any, *rooms: str) -> list[Any]:
    """Objects of these folders of firmware/. They are the same for every app, so a board keeps them once."""
    folder = env["OPTIONS"].board_folder
    objects = []
    for room in rooms:
        found = [node for end in ("c", "cc", "S") for node in env.Glob(f"#firmware/{room}/*.{end}")]
        system = env["ENGINE_SYSTEM"] if room in env["ENGINE_ROOMS"] else []
        for source in sorted(found, key=lambda node: node.name):  # an order that does not depend on the disk
            flags = [*env["CCFLAGS"], *_flags_of(f"{room}/{source.name}", env["OPTIONS"].board)]
            target = f"{folder}/objects/{room}/{Path(source.name).with_suffix('.o')}"
            objects += _object(
                env, target, source, "$SOURCE", [f"{folder}/board"], system=system, CCFLAGS=flags
            )
    return objects


def _flags_of(file: str, board: Any) -> list[str]:
    """What a file of firmware/ is compiled with besides CCFLAGS."""
    if board.hosted or file.startswith(FAST):
        return []
    if file.startswith(TOGETHER):
        return [*SMALL, "-flto", f"-frandom-seed={file}"]
    return [*SMALL]


def _generated(env: Any, generated: list[Any]) -> list[Any]:
    """Objects of the generated sources among these files.

    The compiler is given their paths from the disk's root, those of handwritten ones from the clone's: so
    debug information is the same whether the build folder lies in the clone or elsewhere.
    """
    options = env["OPTIONS"]
    folders = [f"{options.folder}/generated", f"{options.board_folder}/board"]
    objects = []
    for source in (node for node in generated if node.name.endswith((".c", ".cc"))):
        target = f"{options.folder}/objects/{Path(source.name).with_suffix('.o')}"
        system = env["ENGINE_SYSTEM"] if source.name.endswith(".cc") else []
        on_chip = PACKED if source.name == TABLE else MODEL_FLAGS
        flags = env["CCFLAGS"] if options.board.hosted else [*env["CCFLAGS"], *on_chip]
        objects += _object(env, target, source, "${SOURCE.abspath}", folders, system=system, CCFLAGS=flags)
    return objects


def _object(
    env: Any,
    target: str,
    source: Any,
    operands: str,
    folders: list[str],
    *,
    system: list[str],
    **changed: Any,
) -> list[Any]:
    """One object; `folders` of headers beside firmware/, and `system`: words for those of the engine.

    The engine's are not looked into: they change with its library.
    """
    includes = ["-Ifirmware", *(f"-I{folder}" for folder in folders), *system]
    node = env.Object(
        target, source, INPUT=operands, INCLUDES=includes, CPPPATH=["#firmware", *folders], **changed
    )
    if system:
        env.Depends(node, env["ENGINE_LIBRARY"])
    return list(node)


def _library(env: Any, file: str, objects: list[Any]) -> list[Any]:
    """The chain from samples to decision alone: the link fails when it reaches for device/ or port/."""
    strict = [] if sys.platform == "darwin" else ["-Wl,-z,defs,-Bsymbolic"]
    link = [Action("$LINKCOM", "$LINKCOMSTR"), Action(_whole, None)]
    return list(env.Command(file, objects, link, LINKFLAGS=["-shared", "-Wl,--build-id=sha1", *strict]))


def exists(env: Any) -> bool:
    """Always."""
    return True
