# SPDX-License-Identifier: Apache-2.0
"""profile(): everything that is counted of one app on one board.

The counting image is the app's own generated sources and the runtime, compiled with the flags that ship, and
firmware/counting in place of firmware/device: not the image that ships, but the same objects from the sound
to the scores. Its main() works over `model_t` alone, so another engine is counted without a change there.
What an engine has of its own: the layers' names and multiply-accumulates (layers.py), the instructions that
belong to a layer (`_site` here), and the symbols that are its RAM (memory.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from codegen.app.spec import Cascade
from codegen.board.description import Board, load_board
from codegen.common.errors import UserError
from codegen.compile import Compiled, compile_app
from codegen.incremental import Edges
from workbench.build import Build, build
from workbench.profiling import memory, tflm
from workbench.profiling.attribution import (
    CALLER,
    OTHER,
    InlineStack,
    Site,
    attribute,
    function_site,
    inline_stacks,
    model_site,
)
from workbench.profiling.counter import Counted, count
from workbench.profiling.cycles import Cost, cost, disassembly
from workbench.profiling.inputs import counting_input
from workbench.profiling.layers import ModelLayer, model_layers
from workbench.profiling.margin import Margin, Work, boards_of, margin_on
from workbench.profiling.trace import Blocks, Trace, trace
from workbench.progress import waiting
from workbench.targets import target_board

DEFAULT_BOARD = "mps2_an386"
STAGES = ("window", "gate", "front_end", "scale", "decision")
FRONT_END_PARTS = {
    "mfcc": ("window", "normalise", "fft", "log_mel", "dct", "lift"),
    "micro_frontend": ("window", "fft", "filters", "reduce_noise", "control_gain", "log"),
    "log_mel": ("window", "fft", "spectrum", "filters"),
}
AFTER = ("deltas_frame", "normalise_frame")  # of a front end that has them


@dataclass(frozen=True)
class LayerProfile:
    """Instructions of one layer, or (op is "") of what lies around the layers.

    mac, instructions: of a full decision
    mac_incremental, incremental: of an incremental one; None where the model has no incremental form
    mode: "incremental": a decision computes its newest row only; "full": all of it, and `reason` says why
    state: bytes it keeps from decision to decision for that
    general: why a kernel for any numbers computes it, and not a faster one; ""
    """

    name: str
    op: str
    mac: int
    instructions: int
    mac_incremental: int | None
    incremental: int | None
    mode: str
    reason: str
    state: int
    general: str = ""


@dataclass(frozen=True)
class StageProfile:
    """Instructions of one stage of a window; parts: of them, by function."""

    name: str
    instructions: int
    parts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Decisions:
    """Instructions, or estimated cycles, from the scaled frame's arrival to the scores.

    full: everything computed; incremental: one frame after the last decision, None where not possible;
    worst: the dearest after any gap; missed: the frames since the last decision that make it
    """

    full: int
    incremental: int | None
    worst: int
    missed: int


@dataclass(frozen=True)
class Profile:
    """Of one app, or of a bare model: then stages, front_end and margins are empty."""

    app: str
    board: str
    counted_on: str  # the emulated board
    engine: str
    kernels: str
    compiler: str  # GCC's version
    decisions: Decisions
    cycles: Decisions  # the estimate
    layers: tuple[LayerProfile, ...]
    stages: tuple[StageProfile, ...]
    flash: memory.Flash
    ram: memory.Ram
    margins: tuple[Margin, ...]  # of the board, then of the other real ones

    @property
    def margin(self) -> Margin | None:
        """Of the board."""
        return self.margins[0] if self.margins else None

    @property
    def mac(self) -> int:
        """Of a full inference."""
        return sum(layer.mac for layer in self.layers)

    @property
    def general_share(self) -> float:
        """Of a full decision's instructions: those of layers in kernels for any numbers."""
        return sum(layer.instructions for layer in self.layers if layer.general) / self.decisions.full

    @property
    def front_end(self) -> int:
        """Instructions of every window, decided or not."""
        return sum(stage.instructions for stage in self.stages if stage.name != "decision")


def profile(
    app: Path,
    board_name: str = DEFAULT_BOARD,
    *,
    kernels: str | None = None,
    engine: str | None = None,
    build_dir: Path | None = None,
) -> Profile:
    """Builds what is needed, counts and follows it. UserError where board, app or emulator refuse.

    kernels, engine: in place of the app's own.
    """
    found = profilers(app, board_name, kernels=kernels, engine=engine, build_dir=build_dir)
    if len(found.each) > 1:
        raise UserError(
            f"there are {len(found.each)} classifiers, and this works with one",
            file=found.each[0].spec.file,
            remedy="earshot profile --app DIR counts each, and all together.",
        )
    return found.each[0].profile(found.named, found.shipped)


@dataclass(frozen=True, eq=False)
class Profilers:
    """each: of every model of the app, all in one image. named: the board; shipped: its image"""

    named: Board
    shipped: Build
    each: tuple[Profiler, ...]


def profilers(
    app: Path,
    board_name: str = DEFAULT_BOARD,
    *,
    kernels: str | None = None,
    engine: str | None = None,
    build_dir: Path | None = None,
) -> Profilers:
    """Builds and counts; arguments and errors are those of profile()."""
    named = load_board(board_name)
    if named.hosted:
        raise UserError(
            f'the board "{board_name}" is this computer, whose instructions nobody counts',
            remedy=f"Use --board {DEFAULT_BOARD}.",
        )
    board = target_board("qemu", board_name)
    assert board is not None
    compiled = compile_app(app, kernels, engine)
    built = build(board.name, app, build_dir, counting=True, kernels=kernels, engine=engine)
    shipped = built
    if named.name != board.name:
        shipped = build(named.name, app, build_dir, kernels=kernels, engine=engine)
    assert built.counting is not None
    models = (compiled, *compiled.others)
    each = (Profiler(one, board, built, built.counting, number) for number, one in enumerate(models))
    return Profilers(named, shipped, tuple(each))


class Profiler:
    """What one model takes. number: of several in the image, its own"""

    def __init__(self, compiled: Compiled, board: Board, built: Build, image: Path, number: int = 0) -> None:
        spec, graph = compiled.spec, compiled.graph
        self.spec, self.board, self.built = spec, board, built
        self.shared_arena = compiled.plan.arena if spec.first else None
        self.image = image
        self.tflm = spec.classifier.engine == "tflm"
        self.layers = tflm.operator_layers(compiled) if self.tflm else model_layers(compiled)
        gaps = 0 if spec.pipeline is None else self._gaps(compiled, spec.pipeline.cascade)
        with waiting("counting the instructions of decisions after every gap"):
            self.counted = count(image, board, counting_input(spec, graph, range(1, gaps + 1), number=number))
        self.missed, self.worst = self._worst()
        gap = range(self.missed, self.missed + 1) if gaps else range(0)
        with waiting("following the instructions of each stage and layer"):
            self.trace = trace(image, board, counting_input(spec, graph, gap, self.missed, number=number))
        self._compare(self.counted, self.trace)
        self.listing = disassembly(image)
        names = [layer.name for layer in self.layers]
        self.in_ram = frozenset[str]() if self.tflm else memory.layers_in_ram(image, spec.name, names)
        with waiting("looking up whose instructions they are"):
            self.inline_stacks = inline_stacks(
                image, {address for block in self.trace.blocks for address in block}
            )

    def profile(self, named: Board, shipped: Build) -> Profile:
        spec = self.spec
        decisions = self._decisions()
        full, incremental, worst = self._costs()
        stages = self._stages() if spec.pipeline is not None else ()
        return Profile(
            app=spec.name,
            board=named.name,
            counted_on=self.board.name,
            engine=spec.classifier.engine,
            kernels=spec.classifier.kernels,
            compiler=memory.compiler(shipped.image),
            decisions=decisions,
            cycles=Decisions(
                full.cycles, incremental.cycles if incremental else None, worst.cycles, self._missed_frames
            ),
            layers=self._layers(decisions.incremental is not None),
            stages=stages,
            flash=self._flash(named, shipped),
            ram=tflm.ram(shipped.image, spec, named, self.counted.stack)
            if self.tflm
            else memory.ram(shipped.image, spec.name, named, self.counted.stack, self.shared_arena),
            margins=self._margins(named, worst),
        )

    def _flash(self, board: Board, shipped: Build) -> memory.Flash:
        link_map = shipped.directory / "firmware.map"
        if self.tflm:
            return tflm.flash(shipped.image, link_map, self.spec, board)
        return memory.flash(shipped.image, link_map, self.spec.name, board)

    def _margins(self, named: Board, worst: Cost) -> tuple[Margin, ...]:
        """Of the named board, and of those that an image can be flashed onto."""
        pipeline = self.spec.pipeline
        if pipeline is None:
            return ()
        windows_hz = pipeline.audio.sample_rate / pipeline.window.stride
        decided = self.stage_cost("decision")
        work = Work(
            windows_hz,
            pipeline.window.stride,
            self.front_end_cost(),
            self.steady_cost() + decided,
            self.every,
            worst + decided,
        )
        return tuple(margin_on(board, work) for board in boards_of(named))

    @property
    def every(self) -> int:
        """Windows from decision to decision."""
        assert self.spec.pipeline is not None
        return self.spec.pipeline.cascade.step

    def front_end_cost(self) -> Cost:
        """Of the stages of each window."""
        stages = (self.stage_cost(name) for name in STAGES if name != "decision")
        return sum(stages, Cost(0, 0, 0))

    def stage_cost(self, name: str) -> Cost:
        """Of a stage, each time that it runs."""
        return self._cost(self.trace.one(name))

    def steady_cost(self) -> Cost:
        """Of a decision that follows the last one."""
        return self._cost(self.trace.one("next" if self._incremental else "full"))

    def full_cost(self) -> Cost:
        """Of a decision that computes everything."""
        return self._cost(self.trace.one(self._names[0]))

    def worst_cost(self) -> Cost:
        """Of the dearest decision."""
        return self._costs()[2]

    def _cost(self, section: Blocks) -> Cost:
        """Without the words of weights that are read from RAM."""
        whole = cost(self.trace, section, self.listing)
        if not self.in_ram:
            return whole
        site, reported = self._site()
        read = attribute(
            self.trace, section, site, reported, CALLER, worth=lambda at: self.listing[at].weights
        )
        there = sum(words for name, words in read.items() if name in self.in_ram)
        return replace(whole, constants=whole.constants - there)

    @property
    def _names(self) -> tuple[str, str]:
        """The sections of a full and of an incremental decision."""
        return ("full", "next") if self.spec.pipeline is not None else ("run", "")

    @property
    def _incremental(self) -> bool:
        return any(layer.incremental for layer in self.layers)

    def _gaps(self, compiled: Compiled, cascade: Cascade) -> int:
        """The most missed decisions that are counted: from some number on all are full runs."""
        if not self._incremental:
            return 1
        frames = cascade.frames
        if isinstance(compiled.plan, Edges):
            frames = min(frames, compiled.plan.catch_up + 1)
        return -(-frames // cascade.every)

    def _worst(self) -> tuple[int, int]:
        """Decisions since the last one made (of a bare model: tensors run) and instructions of the worst."""
        found = self.counted.all("missed" if self.spec.pipeline is not None else "run")
        dearest = max(range(len(found)), key=found.__getitem__)
        return dearest + 1, found[dearest]

    def _decisions(self) -> Decisions:
        full, following = self._names
        first = self.counted.one(full)
        incremental = self.counted.one(following) if self._incremental else None
        return Decisions(first, incremental, max(first, self.worst), self._missed_frames)

    @property
    def _missed_frames(self) -> int:
        """Since the decision before the worst one; of a bare model the tensors run."""
        pipeline = self.spec.pipeline
        return self.missed if pipeline is None else self.missed * pipeline.cascade.every

    def _costs(self) -> tuple[Cost, Cost | None, Cost]:
        """Of a full, an incremental and the worst decision."""
        full, following = self._names
        worst = "missed" if self.spec.pipeline is not None else "run"
        first, last = self._cost(self.trace.one(full)), self._cost(self.trace.last(worst))
        incremental = self._cost(self.trace.one(following)) if self._incremental else None
        return first, incremental, max(first, last, key=lambda each: each.cycles)

    def _site(self) -> tuple[Site, Mapping[int, InlineStack]]:
        """How an instruction is known to be of a layer: by the generated model's lines, or by its object."""
        if self.tflm:
            link_map = self.image.with_suffix(".map").read_text()
            return tflm.kernel_site(self.layers, link_map), tflm.object_stacks(link_map, self.inline_stacks)
        source = self.built.directory / "generated" / f"{self.spec.name}_model.c"
        return model_site(source, self.spec.name, [layer.name for layer in self.layers]), self.inline_stacks

    def _layers(self, incremental: bool) -> tuple[LayerProfile, ...]:
        """The layers, and after them what is of no layer."""
        site, reported = self._site()
        full = attribute(self.trace, self.trace.one(self._names[0]), site, reported, CALLER)
        following: dict[str, int] = {}
        if incremental:
            following = attribute(self.trace, self.trace.one(self._names[1]), site, reported, CALLER)
        rows = [
            *self.layers,
            *(ModelLayer(name, "", 0, 0, False, "", 0) for name in (OTHER, CALLER) if full.get(name)),
        ]
        return tuple(
            LayerProfile(
                layer.name,
                layer.op,
                layer.mac,
                full.get(layer.name, 0),
                layer.mac_incremental if incremental else None,
                following.get(layer.name, 0) if incremental else None,
                "" if not layer.op else "incremental" if layer.incremental else "full",
                layer.reason,
                layer.state,
                layer.general,
            )
            for layer in rows
        )

    def _stages(self) -> tuple[StageProfile, ...]:
        assert self.spec.pipeline is not None
        section = self.spec.pipeline.front_end.section
        functions = tuple(f"{section}_{part}" for part in FRONT_END_PARTS[section]) + AFTER
        site = function_site(functions, f"{section}_frame")
        parts = attribute(self.trace, self.trace.one("front_end"), site, self.inline_stacks)
        reported = tuple((name, parts[name]) for name in (*functions, OTHER) if name in parts)
        return tuple(
            StageProfile(section, self.counted.one(name), reported)
            if name == "front_end"
            else StageProfile(name, self.counted.one(name))
            for name in STAGES
        )

    def _compare(self, counted: Counted, followed: Trace) -> None:
        """Two ways of counting that share nothing but the emulator."""
        for name in {name for name, _ in followed.sections} - {"missed", "other"}:
            pairs = zip(counted.all(name), followed.all(name), strict=False)
            for by_timer, blocks in pairs:
                by_trace = followed.instructions(blocks)
                if by_timer != by_trace:
                    raise UserError(
                        f"{name}: {by_timer} instructions by the timer, {by_trace} by the trace",
                        file=self.image,
                        remedy="This emulator cannot be counted with; QEMU 7.2 can.",
                    )
