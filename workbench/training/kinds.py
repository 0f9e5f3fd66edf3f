# SPDX-License-Identifier: Apache-2.0
"""The kinds of network that `[network] kind` names: what each is for, its keys, its defaults, its shapes.

zoo.py makes them in Keras; this module knows them without TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from codegen.common.errors import UserError


@dataclass(frozen=True)
class Network:
    """One network: of a kind, or of a Python file. Convolutions are 'valid': none pads along time, so that a
    sliding cascade computes one new row of each layer."""

    kind: str = "cnn"
    convolutions: tuple[int, ...] = (16, 16, 8, 8)  # channels
    kernel: int = 2  # rows of each, and its columns where it has any
    normalize_after: int = 2  # batch normalisation after this convolution's ReLU; 0: none
    dense: tuple[int, ...] = (16,)  # units
    dropout: float = 0.2
    file: Path | None = None  # Python whose function `network` makes another network


CNN = Network()


@dataclass(frozen=True)
class KindOfNetwork:
    """What stands in the table of kinds."""

    what: str
    defaults: Network
    keys: tuple[str, ...]  # of [network], beside `kind`


KINDS: Mapping[str, KindOfNetwork] = {
    "cnn": KindOfNetwork(
        "square convolutions, then dense layers: the network of SensiML's tutorial",
        CNN,
        ("convolutions", "kernel", "normalize_after", "dense", "dropout"),
    ),
    "ds_cnn": KindOfNetwork(
        "a convolution, then depthwise separable ones (Zhang et al., Hello Edge, 2017)",
        Network("ds_cnn", (24, 24, 24), 3, 0, ()),
        ("convolutions", "kernel", "dense", "dropout"),
    ),
    "tcn": KindOfNetwork(
        "convolutions over time alone, further and further apart (Bai et al., 2018)",
        Network("tcn", (24, 24, 24, 24), 3, 0, ()),
        ("convolutions", "kernel", "dense", "dropout"),
    ),
    "mlp": KindOfNetwork("dense layers alone", Network("mlp", (), 1, 0, (24,)), ("dense", "dropout")),
}


def dilations(network: Network, frames: int) -> tuple[int, ...]:
    """Of each convolution of a tcn: rows from one tap to the next. The first one's is 1, the second's too;
    each later one's is twice that of the one before it, or as much as leaves a row to the layers that come.

    frames: rows of the features. A dilation below 1: there are too few.
    """
    taps = network.kernel - 1
    left = frames
    made: list[int] = []
    for number in range(len(network.convolutions)):
        later = len(network.convolutions) - number - 1
        most = (left - 1 - later * taps) // taps if taps else 1
        made.append(min(1 if number < 2 else 2 * made[-1], most))
        left -= taps * made[-1]
    return tuple(made)


def check_shape(network: Network, shape: tuple[int, int], recipe: Path) -> None:
    """UserError where the convolutions leave nothing of `shape` features (rows, columns)."""
    count, taps = len(network.convolutions), network.kernel - 1
    sides = shape[:1] if network.kind == "tcn" else shape
    if min(sides) - count * taps >= 1:
        return
    kernel = f"{network.kernel}" if network.kind == "tcn" else f"{network.kernel} x {network.kernel}"
    raise UserError(
        f"{count} convolutions of {kernel} leave nothing of {shape[0]} x {shape[1]} features",
        file=recipe,
        place="[network]",
        remedy="Take fewer convolutions, or a smaller kernel.",
    )
