# SPDX-License-Identifier: Apache-2.0
"""Runs an app's model on tensors, wherever its C runs: what `infer` and `verify` share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Spec, with_engine
from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.compile import App, with_graphs
from codegen.model.graph import Graph
from codegen.passes.app_ends import computed_graph
from workbench.build import build
from workbench.host.arrays import row_shape
from workbench.host.host_library import HostLibrary
from workbench.host.model_app import bare_app, model_app
from workbench.progress import progress, waiting
from workbench.protocol.lines import Status
from workbench.targets import Device, open_app

TARGETS = ("pc", "qemu", "renode")
ENGINES = ("aot", "tflm")


class Engine(Protocol):
    """A model somewhere: bytes of the input -> bytes of the output."""

    def reset(self) -> None:
        """Forgets streaming state."""

    def run(self, tensor: NDArray[Any]) -> NDArray[np.uint8]:
        """One input, input_size bytes."""


def add_arguments(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """What to run, and where. several: `model` is a list, of folders too."""
    parser.add_argument(
        "model",
        nargs="*" if several else "?",
        type=Path,
        metavar="MODEL.tflite",
        help="int8 TFLite models, or folders that hold them" if several else "an int8 TFLite model",
    )
    parser.add_argument("--app", type=Path, metavar="DIR", help="instead of a model: the model of this app")
    parser.add_argument(
        "--target",
        choices=TARGETS,
        help="this computer, or an emulated Cortex-M4 (default pc; with the engine tflm qemu)",
    )
    parser.add_argument("--engine", choices=ENGINES, help="what runs the model (default: the app's, or aot)")
    add_reference(parser)


def add_reference(parser: argparse.ArgumentParser) -> None:
    """--reference, which is a key of pipeline.toml too."""
    parser.add_argument(
        "--reference",
        choices=[reference.value for reference in Reference],
        help="whose bits, where LiteRT and TensorFlow Lite Micro round differently "
        "(default: what pipeline.toml says; litert for a bare model)",
    )


def read_app(args: argparse.Namespace, kernels: str = "small", *, several: bool = False) -> App:
    """The app that the arguments name, for what builds nothing. kernels: of a bare model; several: it may
    have several classifiers"""
    _check_one(args)
    with waiting(f"reading {args.model or args.app}"):
        if args.app is None:
            return bare_app(args.model, kernels, Reference(args.reference or Reference.LITERT.value))
        return with_graphs(_app_spec(args, several=several), "aot")


def _check_one(args: argparse.Namespace) -> None:
    if (args.model is None) == (args.app is None):
        raise UserError("give a MODEL.tflite, or --app DIR", remedy="One of the two, not both.")


def _app_spec(args: argparse.Namespace, *, several: bool = False) -> Spec:
    """The settings of --app, whose reference is the one wanted."""
    wanted = None if args.reference is None else Reference(args.reference)
    spec = load_spec(args.app, several=several)
    engine = getattr(args, "engine", None) or spec.classifier.engine  # not every command chooses one
    if wanted not in (None, spec.classifier.reference) and engine == "aot":
        raise UserError(
            f'--reference {args.reference}, but the app is built for "{spec.classifier.reference.value}"',
            file=spec.file,
            remedy=f'Write reference = "{args.reference}" under [classifier], or give the model alone.',
        )
    return spec


def reference_of(args: argparse.Namespace, spec: Spec) -> Reference:
    """Whose bits the app's model has: of the engine tflm those of TensorFlow Lite Micro."""
    if args.reference is not None:
        return Reference(args.reference)
    tflm = "tflm" in (args.engine, spec.classifier.engine)  # also where aot stands in for it
    return Reference.TFLM if tflm else spec.classifier.reference


def chosen_app(args: argparse.Namespace) -> App:
    """The same, with a folder made for a bare model; sets args.target and args.engine."""
    _check_one(args)
    with waiting(f"reading {args.model or args.app}"):
        if args.app is None:
            args.target, args.engine = where(args.target, args.engine, "aot")
            reference = Reference(args.reference or Reference.LITERT.value)
            return model_app(args.model, reference=reference, engine=args.engine)
        spec = _app_spec(args)
        args.target, args.engine = where(args.target, args.engine, spec.classifier.engine)
        graph = with_graphs(spec, args.engine).graph
    return App(spec, computed_graph(with_engine(spec, args.engine), graph))


def where(target: str | None, engine: str | None, own: str) -> tuple[str, str]:
    """Target and engine: those named, else the app's own engine, on this computer unless it is tflm."""
    if engine == "tflm" and target == "pc":
        raise UserError(
            "the engine tflm runs on Cortex-M, not on the target pc",
            remedy="Leave --target out, or use --target qemu. On the computer --engine aot with "
            "--reference tflm computes the same bits of a model that it takes.",
        )
    if target == "pc":
        return target, "aot"
    engine = engine or own
    return target or ("qemu" if engine == "tflm" else "pc"), engine


class _Image:
    """The model of an image, reached by `tensor` lines."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def reset(self) -> None:
        """Forgets streaming state."""
        answer = self._device.command("reset")
        if not isinstance(answer, Status):
            raise UserError(f"an unexpected answer to reset: {answer}", file=self._device.name)

    def run(self, tensor: NDArray[Any]) -> NDArray[np.uint8]:
        """One input, input_size bytes."""
        return np.frombuffer(self._device.tensor(tensor.tobytes()), np.uint8)


@contextmanager
def open_engine(app: App, target: str, engine: str | None = None) -> Iterator[Engine]:
    """The app's model, built where it is not up to date. engine: in place of the app's own."""
    if target == "pc":
        library = build("pc", app.spec).library
        assert library is not None
        yield HostLibrary(library, app.spec).model
        return
    with open_app(app, target, engine=engine) as device:
        yield _Image(device)


def run_all(engine: Engine, graph: Graph, inputs: NDArray[Any], *, sequence: bool = False) -> NDArray[Any]:
    """Outputs [n, *shape of the output without its batch] for inputs [n, ...]. Several inputs or outputs are
    packed rows of bytes (workbench.verify.packed).

    sequence: streaming state is kept from one to the next; otherwise each starts fresh.
    """
    shape: tuple[int, ...] = (graph.output_bytes,)
    dtype = "uint8"
    if len(graph.outputs) == 1:
        shape = row_shape(graph.output.shape)
        dtype = graph.output.dtype
    outputs = np.zeros((len(inputs), *shape), dtype)
    engine.reset()
    for index, row in enumerate(progress(inputs, len(inputs), "inputs")):
        if index and not sequence:
            engine.reset()
        outputs[index] = engine.run(row).view(dtype).reshape(shape)
    return outputs
