# SPDX-License-Identifier: Apache-2.0
"""model.json in an image's folder: class names for SensiML's gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from SCons.Script import Action

from codegen.emit.gateway import NAME, gateway_text
from toolbox.makers import makers
from toolbox.write_if_changed import write_whole


def generate(env: Any) -> None:
    """Adds env.GatewayFile()."""
    env.AddMethod(_gateway_file, "GatewayFile")


def _gateway_file(env: Any) -> list[Any]:
    """The node of an app's file; none of a bare model."""
    options = env["OPTIONS"]
    if options.spec.pipeline is None:
        return []
    node = env.Command(
        f"{options.folder}/{NAME}",
        str(options.spec.file),
        Action(_write, "  GEN  ${TARGET}"),
        OPTIONS=options,
    )
    env.Depends(node, makers())
    return list(node)


def _write(target: list[Any], source: list[Any], env: Any) -> None:
    write_whole(Path(target[0].get_abspath()), gateway_text(env["OPTIONS"].spec))


def exists(env: Any) -> bool:
    """Always."""
    return True
