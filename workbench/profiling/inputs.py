# SPDX-License-Identifier: Apache-2.0
"""What the counting image works on: sound or tensors from a fixed seed, as firmware/counting reads them."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Spec
from codegen.model.graph import Graph, Tensor
from workbench.verify.packed import pack

MAGIC = b"earcount"  # firmware/counting/main.c
TENSORS = 3  # inputs of a bare model: the dearest counts
_QUIET = 1000  # amplitude of the sound, at most: the shift of the MFCC's block normalisation costs a pass
MORE_RUNS = 16  # full runs, decision after decision, before the first incremental decision, at most


def counting_input(
    spec: Spec, graph: Graph, missed: range, tensors: int = TENSORS, *, number: int = 0
) -> bytes:
    """The header and what follows it.

    missed: the decisions after a gap that are counted, by the decisions since the last one; empty: none
    number: of several models, the one that spec and graph are of
    """
    random = np.random.default_rng(0)
    samples = np.zeros(0, np.int16)
    values: list[bytes] = []
    if spec.pipeline is not None:
        samples = _sound(spec, random)
    else:
        values = [_tensors(graph, random) for _ in range(tensors)]
    first, last = (missed[0], missed[-1]) if missed else (1, 0)
    header = MAGIC + struct.pack("<IIIIII", len(samples), len(values), first, last, number, 0)
    return header + samples.astype("<i2").tobytes() + b"".join(values)


def _sound(spec: Spec, random: np.random.Generator) -> NDArray[np.int16]:
    """Noise below the gate's threshold, so that the gate looks at every sample of a window."""
    assert spec.pipeline is not None
    window, frames = spec.pipeline.window, spec.pipeline.cascade.frames
    most = min(max(spec.pipeline.gate.threshold, 1), _QUIET)
    cascade = spec.pipeline.cascade
    step = cascade.step
    count = window.size + (frames + (3 + MORE_RUNS) * step) * window.stride
    return random.integers(-most, most + 1, count).astype(np.int16)


def _tensors(graph: Graph, random: np.random.Generator) -> bytes:
    """Every input, as run() is given them."""
    return pack([_tensor(graph.tensors[index], random) for index in graph.inputs]).tobytes()


def _tensor(tensor: Tensor, random: np.random.Generator) -> NDArray[np.generic]:
    """Values of the whole range; of a float input those that its first layer quantises without saturation."""
    dtype = np.dtype(tensor.dtype)
    if dtype.kind == "f":
        return random.uniform(-1, 1, tensor.size).astype(dtype)
    limits = np.iinfo(dtype)
    return random.integers(limits.min, limits.max + 1, tensor.size).astype(dtype)
