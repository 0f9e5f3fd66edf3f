# SPDX-License-Identifier: Apache-2.0
"""Whole images for tests: the real device/ and port/ around a model whose answers Python knows."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Audio, Cascade, Classifier, Device, Gate, Layout, Mfcc, Scale, Spec, Window
from codegen.board.description import load_board
from codegen.common.render import render
from codegen.emit.board import board_sources
from codegen.emit.line_size import line_size
from codegen.model.graph import Graph, Tensor
from tests.support.apps import FAKE_MODEL, App, without_layers
from tests.support.built_once import built_once
from tests.support.compile import FIRMWARE, WARNINGS, protocol_table
from tests.support.pipeline_c import SOURCES
from tests.support.tools import need_tool
from toolbox.checksum import fill_checksum
from toolbox.test_log import BUILT, note

SCRIPTED_MODEL = Path(__file__).with_name("scripted_model.c")
FAULTY_MODEL = Path(__file__).with_name("faulty_model.c")
QEMU_BOARD = "mps2_an386"
M33_BOARD = "mps2_an505"  # the other core that QEMU runs: Armv8-M


@dataclasses.dataclass(frozen=True)
class Sources:
    """What makes an image besides device/ and port/."""

    spec: Spec
    graph: Graph
    files: tuple[Path, ...]
    includes: tuple[Path, ...]
    defines: tuple[str, ...]


def hashing_app(
    folder: Path, app: App, *, incremental: bool = False, stall: int = 0, capture: bool = False
) -> Sources:
    """A pipeline around fake_model.c: its scores are a hash of the frames it saw.

    stall: ticks of the port that a run takes at least.
    """
    spec = dataclasses.replace(app.spec, name="app", device=Device(capture=capture))
    files = (*app.sources(folder), FAKE_MODEL, _app_c(folder, spec, app.graph))
    defines = app.defines(incremental=incremental, catch_up=app.cascade.frames)
    if stall:
        defines.append(f"-DSTALL_TICKS={stall}u")
    return Sources(spec, app.graph, files, (folder,), tuple(defines))


def scripted_app(folder: Path, inputs: int, outputs: int, *, start_error: int = 0) -> Sources:
    """A bare model: scripted_model.c."""
    tensors = (Tensor(0, "in", (1, inputs), "int8"), Tensor(1, "out", (1, outputs), "int8"))
    graph = Graph("scripted", "0123456789abcdef" * 4, tensors, (), (0,), (1,))
    spec = Spec("app", Path("/app/pipeline.toml"), Classifier(Path("/app/model.tflite")), None)
    header = render("app.h.in", name="app", pipeline=None, graph=graph)
    (folder / "app.h").write_text(header)
    defines = (f"-DINPUT_SIZE={inputs}", f"-DOUTPUT_SIZE={outputs}", f"-DSTART_ERROR={start_error}")
    return Sources(spec, graph, (SCRIPTED_MODEL, _app_c(folder, spec, graph), *SOURCES), (folder,), defines)


def _app_c(folder: Path, spec: Spec, graph: Graph) -> Path:
    text = render(
        "app.c.in",
        name=spec.name,
        engine="test",
        model_hash=graph.sha256[:16],
        pipeline=spec.pipeline,
        input_bytes=graph.input.nbytes,
        output_bytes=graph.output.nbytes,
        line_size=line_size(without_layers(spec, graph)),
        members=[(spec, graph.sha256[:16])],
    )
    file = folder / "app.c"
    file.write_text(text)
    return file


def build_image(folder: Path, sources: Sources, board_name: str, baud: int | None = None) -> Path:
    """The image of a board: the program of the board pc, or firmware.elf. Skips without a compiler. baud: of
    its serial line, in place of its own."""
    board = load_board(board_name)
    if baud is not None:
        own = dict(board.constants) | {"uart_baud": baud}
        board = dataclasses.replace(board, constants=tuple(own.items()))
    made = folder / board_name
    made.mkdir(exist_ok=True)
    note(board_name, BUILT)
    for name, text in board_sources(board).items():
        (made / name).write_text(text)
    files = [*sources.files, protocol_table(made), *sorted((FIRMWARE / "device").glob("*.c"))]
    capture = "capture" if sources.spec.device.capture else "no_capture"
    models = "several_models" if sources.spec.others else "one_model"
    smoothing = "smoothed" if sources.spec.smooths else "unsmoothed"
    for room in (capture, models, smoothing):
        files += sorted((FIRMWARE / "device" / room).glob("*.c"))
    files += sorted((FIRMWARE / "port" / board.port).glob("*.c"))
    flags = [*WARNINGS, "-O2", "-g", "-ffunction-sections", "-fdata-sections", f"-I{FIRMWARE}", f"-I{made}"]
    flags += [f"-I{include}" for include in sources.includes]
    if board.hosted:
        image = made / "firmware"
        # The sanitizers end the program at the first wrong access: every test on pc watches memory too.
        flags += ["-fsanitize=undefined,address", "-fno-sanitize-recover=all"]
        _run([need_tool("gcc"), *flags, *sources.defines, *files, "-Wl,--build-id=sha1", "-o", image])
        return image
    files += [*sorted((FIRMWARE / "port" / "cortex_m").glob("*.c")), made / "vectors.c"]
    flags += [
        f"-mcpu={board.core}",
        "-mthumb",
        "-mgeneral-regs-only",
        f"-mfpu={board.fpu}",
        "-mfloat-abi=hard",
    ]
    flags += ["-nostartfiles", "--specs=nano.specs", f"-T{made / 'linker.ld'}"]
    flags += ["-Wl,--gc-sections,--build-id=sha1,--fatal-warnings"]
    image = made / "firmware.elf"
    _run([need_tool("arm-none-eabi-gcc"), *flags, *sources.defines, *files, "-o", image])
    fill_checksum(image)
    return image


def _run(command: Sequence[str | Path]) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# The images most tests use, built once a run.

HASHING = App(
    audio=Audio(8000),
    window=Window(64, 64),
    gate=Gate(600, 2, 0),
    mfcc=Mfcc(cepstra=3, filters=6, fft=128, high_hz=4000),
    cascade=Cascade(frames=4),
    labels=('a "quoted" label', "knock", "back\\slash"),
    threshold=Fraction(1, 2),
)
# Everything else than the tutorial's: 48 kHz, overlapping windows, large FFT, transposed, no slide, votes.
WIDE = App(
    audio=Audio(48000),
    window=Window(1024, 256),
    gate=Gate(300, 5, 1),
    mfcc=Mfcc(cepstra=40, filters=64, fft=1024, low_hz=100, high_hz=20000, lifter=0, preemphasis=0.9),
    scale=Scale(-300000, 700000),
    cascade=Cascade(frames=3, slide=False),
    labels=tuple(f"class {index}" for index in range(17)),
    threshold=Fraction(3, 5),
    votes=3,
    layout=Layout.CEPSTRA_BY_FRAMES,
)
SCRIPTED_INPUTS, SCRIPTED_OUTPUTS = 1000, 700


def _made(name: str, board: str, sources: Callable[[Path], Sources]) -> Path:
    return built_once(f"{name} {board}", lambda folder: build_image(folder, sources(folder), board))


def hashing_image(board: str, *, incremental: bool = False) -> Path:
    """HASHING around fake_model.c."""
    return _made(f"hashing{incremental}", board, lambda at: hashing_app(at, HASHING, incremental=incremental))


def capturing_image(board: str) -> Path:
    """HASHING, in an image that sends its samples where it is asked to."""
    return _made("capturing", board, lambda at: hashing_app(at, HASHING, capture=True))


def hearing_image(board: str) -> Path:
    """HASHING at the rate of the microphones of real boards."""
    app = dataclasses.replace(HASHING, audio=Audio(16000))
    return _made("hearing", board, lambda at: hashing_app(at, app))


def recording_image(board: str, baud: int) -> Path:
    """hearing_image that sends its samples where it is asked to, over a line of this rate."""

    def make(folder: Path) -> Path:
        app = dataclasses.replace(HASHING, audio=Audio(16000))
        return build_image(folder, hashing_app(folder, app, capture=True), board, baud)

    return built_once(f"recording {board} {baud}", make)


def stalling_image(board: str, app: App, ticks: int) -> Path:
    """An app around fake_model.c that takes so many ticks of the port for each run."""
    return _made(f"stalling {ticks} {app}", board, lambda at: hashing_app(at, app, stall=ticks))


def wide_image(board: str) -> Path:
    """WIDE around fake_model.c."""
    return _made("wide", board, lambda at: hashing_app(at, WIDE))


def scripted_image(board: str, *, inputs: int = SCRIPTED_INPUTS, start_error: int = 0) -> Path:
    """scripted_model.c as a bare model."""
    return _made(
        f"scripted{inputs}-{start_error}",
        board,
        lambda at: scripted_app(at, inputs, SCRIPTED_OUTPUTS, start_error=start_error),
    )


def faulty_image(board: str) -> Path:
    """faulty_model.c as a bare model."""

    def sources(folder: Path) -> Sources:
        scripted = scripted_app(folder, SCRIPTED_INPUTS, SCRIPTED_OUTPUTS)
        return dataclasses.replace(scripted, files=(FAULTY_MODEL, *scripted.files[1:]))

    return _made("faulty", board, sources)


def scripted_output(tensor: bytes, runs: int) -> bytes:
    """What scripted_model.c answers after `runs` runs."""
    return bytes((tensor[(7 * i + 3) % len(tensor)] + runs) % 256 for i in range(SCRIPTED_OUTPUTS))


def bursts(windows: int, seed: int = 1) -> NDArray[np.int16]:
    """Sound for HASHING: noise, loud enough for the gate every now and then, and a piece of a window."""
    random = np.random.default_rng(seed)
    loud = np.where(random.random(windows) < 0.25, 40, 1)
    noise = random.integers(-500, 501, (windows, HASHING.window.stride)) * loud[:, None]
    return np.append(noise.reshape(-1), [1, 2, 3]).astype(np.int16)


# Sound for HASHING, and the same as the bytes of `audio` lines.
SOUND = bursts(40)
PAYLOADS = [SOUND.astype("<i2").tobytes()[at : at + 360] for at in range(0, 2 * len(SOUND), 360)]
