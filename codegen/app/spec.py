# SPDX-License-Identifier: Apache-2.0
"""pipeline.toml as frozen dataclasses: everything between samples and classes.

Defaults are SensiML's Smart Lock tutorial, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

from codegen.common.reference import Reference


class Layout(Enum):
    """How the cascade's frames lie in the model's input tensor."""

    FRAMES_BY_CEPSTRA = "frames_by_cepstra"  # [frames, cepstra], the natural picture
    CEPSTRA_BY_FRAMES = "cepstra_by_frames"  # its transpose
    SCRAMBLED = "scrambled"  # the flat vector copied into [cepstra, frames]


class Rounding(Enum):
    """How (feature - offset) / scale becomes an integer."""

    NEAREST = "nearest"  # TensorFlow's: round half away from zero
    ZERO = "zero"  # toward zero, as SensiML's device code
    NONE = "none"  # not divided: feature - offset - 128 is the tensor's byte, whatever the model's scale


class Kind(Enum):
    """What the model's output says."""

    CLASSES = "classes"  # a score a label
    BINARY = "binary"  # one label's probability, or its logit
    ANOMALY = "anomaly"  # the input again: the more it differs, the less the model knows such sound


@dataclass(frozen=True)
class Audio:
    """The microphone's signal: int16 mono."""

    sample_rate: int = 16000  # Hz, 8000..48000
    dc_block: int = 0  # 4..12: the mean of some 2^dc_block samples is taken off each; 0: nothing is


@dataclass(frozen=True)
class Window:
    """Samples of one frame."""

    size: int = 400  # samples, 2..4096
    stride: int = 400  # samples, 1..16384; above size some are heard by no window


@dataclass(frozen=True)
class Gate:
    """Opens when any |sample| of a window exceeds the threshold."""

    threshold: int = 600  # 0..32767; -1 opens for every window
    backoff: int = 14  # windows passed after the opening one, 0..1000
    delay: int = 0  # windows held back first, 0..64


@dataclass(frozen=True)
class Mfcc:
    """Kaldi's MFCC in fixed point."""

    section: ClassVar[str] = "mfcc"  # of pipeline.toml; its file in firmware/pipeline
    values: ClassVar[str] = "cepstra"  # what a frame holds

    cepstra: int = 20  # kept, 1..filters
    filters: int = 23  # mel triangles
    fft: int = 512  # points: 128, 256, 512, 1024, 2048, 4096
    low_hz: float = 20.0
    high_hz: float = 8000.0
    lifter: float = 22.0  # 0: none
    preemphasis: float = 0.97  # 0..1
    deltas: int = 0  # orders of slopes in time behind the values: 0, 1, 2
    delta_frames: int = 2  # on either side, 1..4
    mean: tuple[float, ...] = ()  # taken off each value, in Kaldi's unit: one, or one a value
    deviation: tuple[float, ...] = ()  # what each value is then divided by

    @property
    def statics(self) -> int:
        """Values without their slopes."""
        return self.cepstra

    @property
    def size(self) -> int:
        """Values of a frame."""
        return self.statics * (1 + self.deltas)


@dataclass(frozen=True)
class MicroFrontend:
    """TensorFlow Lite Micro's audio front end; its defaults are the library's."""

    section: ClassVar[str] = "micro_frontend"
    values: ClassVar[str] = "filters"

    filters: int = 32  # 1..128
    low_hz: float = 125.0
    high_hz: float = 7500.0
    smoothing_bits: int = 10  # of the noise estimate after its point, 0..15
    even_smoothing: float = 0.025  # share of a new value in the estimate of filters 0, 2, ...
    odd_smoothing: float = 0.06  # of filters 1, 3, ...
    min_signal_remaining: float = 0.05  # least share of a signal that noise reduction leaves
    pcan: bool = False  # gain control
    pcan_strength: float = 0.95
    pcan_offset: float = 80.0
    pcan_gain_bits: int = 21
    log: bool = True
    log_shift: int = 6  # 2^log_shift to a unit of the natural logarithm, 0..16
    tables: str = "c"  # whose rounding they have: the library's in C, or "signal", its package in Python

    @property
    def size(self) -> int:
        """Values of a frame."""
        return self.filters


@dataclass(frozen=True)
class LogMel:
    """Logarithms of mel energies; the defaults are librosa's melspectrogram and power_to_db."""

    section: ClassVar[str] = "log_mel"
    values: ClassVar[str] = "filters"

    filters: int = 128  # 1..128
    fft: int = 0  # points, 64..4096; 0: the smallest power of 2 that holds a window
    window: str = "hann"  # "hann", "hamming", "povey", "none"
    periodic: bool = True  # the window; else symmetric
    preemphasis: float = 0.0  # 0..1
    carried: bool = False  # pre-emphasis from window to window, else within each
    full_scale: int = 1  # what a sample of 32768 counts: 1 or 32768
    spectrum: str = "power"  # or "magnitude"
    per_sample: bool = False  # energies are divided by the window's size
    scale: str = "slaney"  # mel: "slaney", "htk", "kaldi"
    norm: str = "slaney"  # of the filters; or "none"
    low_hz: float = 0.0
    high_hz: float = 8000.0  # in pipeline.toml half the sample rate, where nothing is written
    log: str = "db"  # 10 log10; or "natural", "log2"
    offset: float = 0.0  # added to an energy before its logarithm
    floor: float = 1e-10  # least energy
    deltas: int = 0  # as of Mfcc
    delta_frames: int = 2
    mean: tuple[float, ...] = ()  # in the unit of the logarithm
    deviation: tuple[float, ...] = ()

    @property
    def statics(self) -> int:
        """Values without their slopes."""
        return self.filters

    @property
    def size(self) -> int:
        """Values of a frame."""
        return self.statics * (1 + self.deltas)


FrontEnd = Mfcc | MicroFrontend | LogMel


@dataclass(frozen=True)
class Scale:
    """The range of the front end's values that becomes 0..255, or a publisher's formula."""

    minimum: int = -500000
    maximum: int = 500000
    formula: str | None = None  # of codegen/app/tables/scale.py, in place of the range
    rounding: str = "down"  # or "zero": toward 128, the zero of a tensor that takes the byte as it is


@dataclass(frozen=True)
class Cascade:
    """Frames of one decision."""

    frames: int = 15
    slide: bool = True  # False: emptied by each decision
    every: int = 1  # windows from one decision to the next
    memory: int = 65536  # bytes that may be kept of layers that pad, stride or pool along time

    @property
    def step(self) -> int:
        """Windows from one decision to the next: as many as frames where a decision empties the cascade."""
        return self.every if self.slide else self.frames


@dataclass(frozen=True)
class Classifier:
    """The model and how features enter it."""

    model: Path  # absolute
    engine: str = "aot"  # "aot" or "tflm"
    kernels: str = "small"  # "small" or "fast"
    layout: Layout = Layout.FRAMES_BY_CEPSTRA
    offset: int = 0  # subtracted from the 8-bit feature, 0..255: 0 or 127 in practice
    rounding: Rounding = Rounding.NEAREST
    reference: Reference = Reference.LITERT  # whose bits the generated C computes
    layer_outputs: bool = False  # a bare model's run() appends the outputs of all layers to its own
    ram_weights: int = 0  # bytes of constants that may be read from RAM
    output: int | str | None = None  # of several, the one that is the scores: its number, from 0, or name

    @property
    def fast(self) -> bool:
        """Constants may be many where that saves time."""
        return self.kernels == "fast"


@dataclass(frozen=True)
class Decision:
    """From scores to a class."""

    labels: tuple[str, ...]
    thresholds: tuple[Fraction, ...]  # one a label, 0..1; exactly the decimal written: 0.80 is 4/5
    votes: int = 1  # the class with more than half of the last `votes` decisions wins, 1..10
    mean: int = 1  # the mean of a label's last `mean` scores is compared, 1..100
    suppress: int = 0  # decisions after a detection that are Unknown, 0..10000
    kind: Kind = Kind.CLASSES  # ANOMALY: one label, its threshold a mean squared error

    @property
    def smooths(self) -> bool:
        """The image has a stage with `mean` and `suppress`, which then are settings of its own."""
        return self.kind is Kind.ANOMALY or self.mean > 1 or self.suppress > 0


@dataclass(frozen=True)
class Device:
    """What an image has besides its stages."""

    capture: bool = False  # it sends its microphone's samples where the host asks for them


@dataclass(frozen=True)
class Pipeline:
    """All stages around the classifier."""

    audio: Audio
    window: Window
    gate: Gate
    front_end: FrontEnd
    scale: Scale
    cascade: Cascade
    decision: Decision


@dataclass(frozen=True)
class Waits:
    """A classifier that does not run until another one has detected something."""

    opener: str  # as written: "NAME" or "NAME.LABEL"
    member: int  # of Spec.members: one before it
    label: int  # 0: any label's detection; else the index of one + 1
    stays: int  # windows for which it then runs, that of the detection included, 1..1000000


@dataclass(frozen=True)
class Spec:
    """One app. A pipeline.toml with [classifier] alone is a bare model: `pipeline` is None."""

    name: str  # the folder's name as a C identifier, lower case; prefix of every generated symbol
    file: Path  # pipeline.toml, absolute
    classifier: Classifier
    pipeline: Pipeline | None
    device: Device = Device()
    title: str = ""  # the classifier's own name, where several have one
    first: str = ""  # of one after the first: the name of that, whose front end and memory it shares
    waits: Waits | None = None  # for another classifier's detection
    others: tuple[Spec, ...] = ()  # classifiers after the first, which hear the same windows

    @property
    def members(self) -> tuple[Spec, ...]:
        """Every classifier in the order in which they run; of an app with one, itself."""
        return (self, *self.others)

    @property
    def smooths(self) -> bool:
        """One of them has `mean` and `suppress` as settings."""
        return any(one.pipeline is not None and one.pipeline.decision.smooths for one in self.members)


def source_names(spec: Spec) -> list[str]:
    """Every generated file of an app, as codegen/emit/sources.py makes them."""
    names = [f"{member.name}{end}" for member in spec.members for end in (".h", "_model.c")]
    return [*names, *([f"{spec.name}_pipeline.c"] if spec.pipeline is not None else []), "app.c"]


def with_kernels(spec: Spec, kernels: str | None) -> Spec:
    """The app with other kernels, "small" or "fast"; with its own for None."""
    if kernels is None:
        return spec
    others = tuple(with_kernels(other, kernels) for other in spec.others)
    return replace(spec, classifier=replace(spec.classifier, kernels=kernels), others=others)


def with_engine(spec: Spec, engine: str) -> Spec:
    """The app as an engine runs it: in place of tflm, aot computes TensorFlow Lite Micro's bits."""
    tflm = "tflm" in (engine, spec.classifier.engine)
    reference = Reference.TFLM if tflm else spec.classifier.reference
    return replace(spec, classifier=replace(spec.classifier, engine=engine, reference=reference))
