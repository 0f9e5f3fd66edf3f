"""Objects, image and its forms; on the board pc also the library that the workbench loads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from SCons.Script import Action


def generate(env: Any) -> None:
    """Adds env.Image(generated sources)."""
    env.AddMethod(_image, "Image")


def _image(env: Any, generated: list[Any]) -> list[Any]:
    """Every file of the image, for the alias that builds it."""
    options = env["OPTIONS"]
    folder = options.folder
    made_headers = [f"{folder}/generated", f"{options.board_folder}/board"]
    env.Replace(
        CPPPATH=["#firmware", *made_headers], INCLUDES=["-Ifirmware", *(f"-I{path}" for path in made_headers)]
    )

    rooms = ["device", f"port/{options.board.port}", *([] if options.board.hosted else ["port/cortex_m"])]
    runtime = _objects(env, _sources(env, "pipeline") + _sources(env, "nn"))
    made = _objects(env, [node for node in generated if node.name.endswith(".c")])
    device = _objects(env, [source for room in rooms for source in _sources(env, room)])
    objects = [*runtime, *made, *device]
    env.CompileCommands(objects)

    suffix = "" if options.board.hosted else ".elf"
    map_flag = "-Wl,-map" if sys.platform == "darwin" and options.board.hosted else "-Wl,-Map"
    elf, link_map = env.Command(
        [f"{folder}/firmware{suffix}", f"{folder}/firmware.map"],
        objects,
        Action("$LINKCOM", "$LINKCOMSTR"),
        LINKFLAGS=[*env["LINKFLAGS"], f"{map_flag},{env.File(f'{folder}/firmware.map')}"],
    )
    env.Depends(elf, [node for node in generated if node.name == "linker.ld"])
    files = [elf, link_map]
    if options.board.hosted:
        chain = [node for node in made if node.name != "app.o"]
        files += _library(env, f"{folder}/libearshot.so", [*runtime, *chain])
    else:
        for form, name in (("binary", "bin"), ("ihex", "hex")):
            copy = Action("$OBJCOPYCOM", "$OBJCOPYCOMSTR")
            files += env.Command(f"{folder}/firmware.{name}", elf, copy, OBJCOPYFLAGS=["-O", form])
    return [*files, *env.SizeTable(f"{folder}/size.txt", elf, files)]


def _sources(env: Any, room: str) -> list[Any]:
    """The handwritten sources of one folder of firmware/, in an order that does not depend on the disk."""
    found = env.Glob(f"#firmware/{room}/*.c") + env.Glob(f"#firmware/{room}/*.S")
    return sorted(found, key=lambda node: node.path)


def _objects(env: Any, sources: list[Any]) -> list[Any]:
    """objects/<folder>/<name>.o for each, the folder as under firmware/.

    Handwritten sources are told to the compiler from the clone's root, generated ones from the disk's: so
    debug information is the same whether the build folder lies in the clone or elsewhere.
    """
    objects = []
    for source in sources:
        room = Path(source.path).parent
        handwritten = room.parts[0] == "firmware"
        room = room.relative_to("firmware") if handwritten else Path(room.name)
        target = f"{env['OPTIONS'].folder}/objects/{room}/{Path(source.path).with_suffix('.o').name}"
        objects += env.Object(target, source, INPUT="$SOURCE" if handwritten else "${SOURCE.abspath}")
    return objects


def _library(env: Any, file: str, objects: list[Any]) -> list[Any]:
    """The chain from samples to decision alone: the link fails when it reaches for device/ or port/."""
    strict = [] if sys.platform == "darwin" else ["-Wl,-z,defs,-Bsymbolic"]
    link = Action("$LINKCOM", "$LINKCOMSTR")
    return list(env.Command(file, objects, link, LINKFLAGS=["-shared", "-Wl,--build-id=sha1", *strict]))


def exists(env: Any) -> bool:
    """Always."""
    return True
