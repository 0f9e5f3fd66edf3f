# SPDX-License-Identifier: Apache-2.0
"""The counting image: the app's generated sources and runtime, with firmware/counting in place of device/."""

from __future__ import annotations

from typing import Any


def generate(env: Any) -> None:
    """Adds env.CountingImage(generated sources)."""
    env.AddMethod(_counting_image, "CountingImage")


def _counting_image(env: Any, generated: list[Any]) -> list[Any]:
    """counting.elf; nothing on the board pc, whose instructions nobody counts."""
    options = env["OPTIONS"]
    if options.board.hosted:
        return []
    rooms: tuple[str, ...] = ("pipeline", "nn", f"port/{options.board.port}", "port/cortex_m", "counting")
    rooms += ("counting/several_models" if options.spec.others else "counting/one_model",)
    rooms += (*env["ENGINE_ROOMS"], *(f"{room}/counting" for room in env["ENGINE_ROOMS"]))
    objects = [*env.HandwrittenObjects(*rooms), *env.GeneratedObjects(generated), *env["ENGINE_LIBRARY"]]
    link_map = f"{options.folder}/counting.map"
    elf = env.Command(
        [f"{options.folder}/counting.elf", link_map],
        objects,
        env["IMAGE_LINK"],
        LINKFLAGS=[*env["LINKFLAGS"], f"-Wl,-Map,{env.File(link_map)}"],
    )
    env.Depends(elf, [node for node in generated if node.name == "linker.ld"])
    return list(elf)


def exists(env: Any) -> bool:
    """Always."""
    return True
