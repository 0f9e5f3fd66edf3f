"""Objects, image and its forms; on the board pc also the library that the workbench loads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from SCons.Script import Action

# Where every instruction counts; all else of firmware/ is compiled for size.
FAST = ("pipeline/gate", "pipeline/mfcc", "nn/", "counting/")


def generate(env: Any) -> None:
    """Adds env.Image(generated sources), and what other images are made of."""
    fill = [] if env["OPTIONS"].board.hosted else [Action(_checksum, None)]
    env["IMAGE_LINK"] = [Action("$LINKCOM", "$LINKCOMSTR"), *fill]
    env.AddMethod(_image, "Image")
    env.AddMethod(_handwritten, "HandwrittenObjects")
    env.AddMethod(_generated, "GeneratedObjects")


def _image(env: Any, generated: list[Any]) -> list[Any]:
    """Every file of the image, for the alias that builds it."""
    options = env["OPTIONS"]
    folder = options.folder
    rooms = ["device", f"port/{options.board.port}", *([] if options.board.hosted else ["port/cortex_m"])]
    runtime = _handwritten(env, "pipeline", "nn")
    made = _generated(env, generated)
    objects = [*runtime, *made, *_handwritten(env, *rooms)]
    env.CompileCommands(objects)

    suffix = "" if options.board.hosted else ".elf"
    map_flag = "-Wl,-map" if sys.platform == "darwin" and options.board.hosted else "-Wl,-Map"
    elf, link_map = env.Command(
        [f"{folder}/firmware{suffix}", f"{folder}/firmware.map"],
        objects,
        env["IMAGE_LINK"],
        LINKFLAGS=[*env["LINKFLAGS"], f"{map_flag},{env.File(f'{folder}/firmware.map')}"],
    )
    env.Depends(elf, [node for node in generated if node.name == "linker.ld"])
    files = [elf, link_map]
    env.Depends(elf, env.File("#workbench/checksum.py"))
    if options.board.hosted:
        chain = [node for node in made if node.name != "app.o"]
        files += _library(env, f"{folder}/libearshot.so", [*runtime, *chain])
    else:
        for form, name in (("binary", "bin"), ("ihex", "hex")):
            copy = Action("$OBJCOPYCOM", "$OBJCOPYCOMSTR")
            files += env.Command(f"{folder}/firmware.{name}", elf, copy, OBJCOPYFLAGS=["-O", form])
    return [*files, *env.SizeTable(f"{folder}/size.txt", elf, files)]


def _checksum(target: list[Any], source: list[Any], env: Any) -> None:
    from workbench.checksum import fill_checksum

    fill_checksum(Path(target[0].get_abspath()))


def _handwritten(env: Any, *rooms: str) -> list[Any]:
    """Objects of these folders of firmware/. They are the same for every app, so a board keeps them once."""
    folder = env["OPTIONS"].board_folder
    objects = []
    for room in rooms:
        found = env.Glob(f"#firmware/{room}/*.c") + env.Glob(f"#firmware/{room}/*.S")
        for source in sorted(found, key=lambda node: node.name):  # an order that does not depend on the disk
            fast = f"{room}/{source.name}".startswith(FAST) or env["OPTIONS"].board.hosted
            flags = env["CCFLAGS"] if fast else [*env["CCFLAGS"], "-Os"]
            target = f"{folder}/objects/{room}/{Path(source.name).with_suffix('.o')}"
            objects += _object(env, target, source, "$SOURCE", [f"{folder}/board"], CCFLAGS=flags)
    return objects


def _generated(env: Any, generated: list[Any]) -> list[Any]:
    """Objects of the generated sources among these files.

    These are told to the compiler from the disk's root, the handwritten ones from the clone's: so debug
    information is the same whether the build folder lies in the clone or elsewhere.
    """
    options = env["OPTIONS"]
    folders = [f"{options.folder}/generated", f"{options.board_folder}/board"]
    objects = []
    for source in (node for node in generated if node.name.endswith(".c")):
        target = f"{options.folder}/objects/{Path(source.name).with_suffix('.o')}"
        objects += _object(env, target, source, "${SOURCE.abspath}", folders)
    return objects


def _object(
    env: Any, target: str, source: Any, as_told: str, folders: list[str], **changed: Any
) -> list[Any]:
    """One object; `folders` of headers beside firmware/."""
    includes = ["-Ifirmware", *(f"-I{folder}" for folder in folders)]
    return list(
        env.Object(
            target, source, INPUT=as_told, INCLUDES=includes, CPPPATH=["#firmware", *folders], **changed
        )
    )


def _library(env: Any, file: str, objects: list[Any]) -> list[Any]:
    """The chain from samples to decision alone: the link fails when it reaches for device/ or port/."""
    strict = [] if sys.platform == "darwin" else ["-Wl,-z,defs,-Bsymbolic"]
    link = Action("$LINKCOM", "$LINKCOMSTR")
    return list(env.Command(file, objects, link, LINKFLAGS=["-shared", "-Wl,--build-id=sha1", *strict]))


def exists(env: Any) -> bool:
    """Always."""
    return True
