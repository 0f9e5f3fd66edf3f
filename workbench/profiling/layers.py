# SPDX-License-Identifier: Apache-2.0
"""The layers a model's C is made of, with their multiply-accumulates and the planner's mode."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.compile import Compiled
from codegen.emit.modes import mode_plan


@dataclass(frozen=True)
class ModelLayer:
    """A call in the generated C.

    name: of its struct, without the app's prefix; op: the model's operator
    mac: multiply-accumulates of a full inference, as the model defines it
    mac_incremental: of a decision one frame after the last; `mac` where the layer is computed in full
    incremental, reason, state: see LayerMode; general: why a kernel for any numbers computes it, or ""
    """

    name: str
    op: str
    mac: int
    mac_incremental: int
    incremental: bool
    reason: str
    state: int
    general: str = ""


def model_layers(compiled: Compiled) -> tuple[ModelLayer, ...]:
    """In the order of the generated C."""
    defined = {layer.name: layer.macs for layer in compiled.program.layers}
    general = {layer.name: layer.general for layer in compiled.program.layers}
    return tuple(
        ModelLayer(
            layer.name,
            layer.op,
            defined.get(layer.name, layer.full_macs),
            layer.macs,
            layer.incremental,
            layer.reason,
            layer.state,
            "" if layer.incremental and layer.op == "CONV_2D" else general.get(layer.name, ""),
        )
        for layer in mode_plan(compiled).layers
    )
