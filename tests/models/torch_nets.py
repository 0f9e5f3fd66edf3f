# SPDX-License-Identifier: Apache-2.0
"""Fifteen small audio nets of PyTorch as int8 .tflite files, by litert-torch and two quantisers.

    PYTHON tests/models/torch_nets.py FOLDER [NAME ...]

writes FOLDER/NAME.tflite for each net, of a Python that has torch and litert-torch; tests/models/torch/ holds
what it wrote. Nothing of Earshot is imported. Weights are random: what counts is which operators come out,
with which shapes and scales.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import litert_torch
import numpy as np
import torch
from ai_edge_quantizer import quantizer, recipe
from litert_torch.quantize.pt2e_quantizer import PT2EQuantizer, get_symmetric_quantization_config
from litert_torch.quantize.quant_config import QuantConfig
from torch import nn
from torch.nn import functional
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

MEAN, DEVIATION = 0.3, 1.5  # of the inputs
CALIBRATION = 20  # inputs


class RawAudio(nn.Module):
    """Convolutions over samples, as PyTorch's tutorial on speech commands has them, less its log_softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.first_norm = nn.Conv1d(1, 8, 20, stride=8), nn.BatchNorm1d(8)
        self.second, self.second_norm = nn.Conv1d(8, 16, 3), nn.BatchNorm1d(16)
        self.pool, self.out = nn.MaxPool1d(4), nn.Linear(16, 6)

    def forward(self, x: Any) -> Any:
        x = self.pool(functional.relu(self.first_norm(self.first(x))))
        x = self.pool(functional.relu(self.second_norm(self.second(x))))
        x = functional.avg_pool1d(x, x.shape[-1])
        return self.out(x.flatten(1))


class DsCnn(nn.Module):
    """Depthwise separable convolutions over a picture of features. softmax: PT2E would leave it in float"""

    def __init__(self, *, softmax: bool = True) -> None:
        super().__init__()
        self.softmax = softmax
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, (10, 4), stride=2, padding=(4, 1)),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1, groups=16),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 16, 1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(16, 12),
        )

    def forward(self, x: Any) -> Any:
        x = self.layers(x)
        return functional.softmax(x, dim=1) if self.softmax else x


class Recurrent(nn.Module):
    """A convolution over frames, then a recurrent layer, of which the last step counts."""

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.first = nn.Conv1d(10, 12, 3, padding=1)
        self.recurrent = kind(12, 12, batch_first=True)
        self.out = nn.Linear(12, 4)

    def forward(self, x: Any) -> Any:
        steps, _ = self.recurrent(functional.relu(self.first(x)).transpose(1, 2))
        return self.out(steps[:, -1])


class Attention(nn.Module):
    """A block of a transformer: normalised, two heads, a feed-forward part with GELU."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.norm = nn.Linear(10, 16), nn.LayerNorm(16)
        self.heads = nn.MultiheadAttention(16, 2, batch_first=True)
        self.second_norm = nn.LayerNorm(16)
        self.forward_part = nn.Sequential(nn.Linear(16, 24), nn.GELU(), nn.Linear(24, 16))
        self.out = nn.Linear(16, 4)

    def forward(self, x: Any) -> Any:
        x = self.into(x)
        y = self.norm(x)
        x = x + self.heads(y, y, y, need_weights=False)[0]
        x = x + self.forward_part(self.second_norm(x))
        return self.out(x.mean(1))


class SqueezeExcite(nn.Module):
    """MobileNetV3's parts: squeeze and excitation, hardswish, hardsigmoid."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.squeeze, self.excite = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)
        self.pointwise, self.out = nn.Conv2d(8, 8, 1), nn.Linear(8, 4)

    def forward(self, x: Any) -> Any:
        x = functional.hardswish(self.first(x))
        y = functional.hardswish(self.depthwise(x))
        weights = functional.hardsigmoid(
            self.excite(functional.relu(self.squeeze(functional.adaptive_avg_pool2d(y, 1))))
        )
        x = x + self.pointwise(y * weights)
        return self.out(x.mean((2, 3)))


class DenseAutoencoder(nn.Module):
    """Of a frame, as anomaly detection has it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(40, 32),
            nn.BatchNorm1d(32),
            nn.ReLU(),
            nn.Linear(32, 6),
            nn.ReLU(),
            nn.Linear(6, 32),
            nn.ReLU(),
            nn.Linear(32, 40),
        )

    def forward(self, x: Any) -> Any:
        return self.layers(x)


class ConvAutoencoder(nn.Module):
    """Down by strides, up by transposed convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(1, 6, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(6, 8, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.up = nn.Sequential(
            nn.ConvTranspose2d(8, 6, 2, stride=2),
            nn.ReLU(),
            nn.ConvTranspose2d(6, 1, 2, stride=2),
            nn.Sigmoid(),
        )

    def forward(self, x: Any) -> Any:
        return self.up(self.down(x))


class Tcn(nn.Module):
    """Causal convolutions, dilated, with residuals."""

    def __init__(self) -> None:
        super().__init__()
        self.dilations = (1, 2, 4)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(10 if dilation == 1 else 12, 12, 3, dilation=dilation) for dilation in self.dilations
        )
        self.out = nn.Linear(12, 4)

    def forward(self, x: Any) -> Any:
        for convolution, dilation in zip(self.convolutions, self.dilations, strict=True):
            y = functional.relu(convolution(functional.pad(x, (2 * dilation, 0))))
            x = y if dilation == 1 else x + y
        return self.out(x[:, :, -1])


class Residual(nn.Module):
    """A block of a ResNet."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.one, self.one_norm = nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.two, self.two_norm = nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.out = nn.Linear(8, 4)

    def forward(self, x: Any) -> Any:
        x = functional.relu(self.first(x))
        y = functional.relu(self.one_norm(self.one(x)))
        x = functional.max_pool2d(functional.relu(x + self.two_norm(self.two(y))), 2)
        return self.out(functional.adaptive_avg_pool2d(x, 1).flatten(1))


class BroadcastResidual(nn.Module):
    """A block of a BC-ResNet: one part over frequency, its mean over time, added to every row."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 8, 5, stride=(2, 1), padding=2)
        self.frequency = nn.Conv2d(8, 8, (3, 1), padding=(1, 0), groups=8)
        self.frequency_norm = nn.BatchNorm2d(8)
        self.time = nn.Conv2d(8, 8, (1, 3), padding=(0, 2), dilation=(1, 2), groups=8)
        self.time_norm, self.pointwise = nn.BatchNorm2d(8), nn.Conv2d(8, 8, 1)
        self.out = nn.Conv2d(8, 4, 1)

    def forward(self, x: Any) -> Any:
        x = functional.relu(self.first(x))
        y = self.frequency_norm(self.frequency(x))
        z = y.mean(2, keepdim=True)
        z = self.pointwise(functional.silu(self.time_norm(self.time(z))))
        x = functional.relu(x + y + z)
        return self.out(x.mean(2, keepdim=True)).mean(3, keepdim=True).flatten(1)


class GroupNormed(nn.Module):
    """Group normalisation, ELU, PReLU, the largest over time."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv1d(10, 8, 5, stride=2), nn.GroupNorm(2, 8)
        self.second, self.slope = nn.Conv1d(8, 8, 3), nn.PReLU(8)
        self.out = nn.Linear(8, 4)

    def forward(self, x: Any) -> Any:
        x = functional.elu(self.norm(self.first(x)))
        return self.out(self.slope(self.second(x)).amax(-1))


class AttentionPool(nn.Module):
    """Frames weighed by a softmax over time and added up; several sounds at once, so sigmoids."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.weigh, self.out = nn.Linear(10, 16), nn.Linear(16, 1), nn.Linear(16, 4)

    def forward(self, x: Any) -> Any:
        frames = torch.tanh(self.into(x))
        weights = torch.softmax(self.weigh(frames), dim=1)
        return torch.sigmoid(self.out((frames * weights).sum(1)))


class MatchBox(nn.Module):
    """A block of a MatchboxNet: separable convolutions in time, a projected residual."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(10, 10, 5, padding=2, groups=10)
        self.pointwise, self.norm = nn.Conv1d(10, 16, 1), nn.BatchNorm1d(16)
        self.residual, self.out = nn.Conv1d(10, 16, 1), nn.Conv1d(16, 4, 1)

    def forward(self, x: Any) -> Any:
        y = self.norm(self.pointwise(self.depthwise(x))) + self.residual(x)
        return self.out(functional.leaky_relu(y, 0.1)).mean(-1)


class Statistics(nn.Module):
    """An x-vector's pooling: mean and deviation over time."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv1d(10, 12, 3), nn.Conv1d(12, 12, 3, dilation=2)
        self.out = nn.Linear(24, 4)

    def forward(self, x: Any) -> Any:
        x = functional.relu(self.two(functional.relu(self.one(x))))
        mean = x.mean(-1, keepdim=True)
        deviation = torch.sqrt(((x - mean) ** 2).mean(-1) + 1e-3)
        return self.out(torch.cat([mean.squeeze(-1), deviation], 1))


def by_ai_edge_quantizer(net: Any, shape: tuple[int, ...]) -> bytes:
    """Converted in float, then quantised as a file, ends too."""
    data = {"serving_default": [{"args_0": values.numpy()} for values in inputs(shape, CALIBRATION)]}
    with TemporaryDirectory() as folder:
        file, done = Path(folder) / "float.tflite", Path(folder) / "int8.tflite"
        litert_torch.convert(net, tuple(inputs(shape, 1))).export(str(file))
        int8 = quantizer.Quantizer(str(file))
        int8.load_quantization_recipe(recipe.static_wi8_ai8())
        int8.quantize(int8.calibrate(data)).export_model(str(done))
        return done.read_bytes()


def by_pt2e(net: Any, shape: tuple[int, ...]) -> bytes:
    """Quantised as a graph of torch, then converted; float ends."""
    settings = get_symmetric_quantization_config(is_per_channel=True, is_dynamic=False)
    chosen = PT2EQuantizer().set_global(settings)
    sample = tuple(inputs(shape, 1))
    prepared = prepare_pt2e(torch.export.export(net, sample).module(), chosen)
    for values in inputs(shape, CALIBRATION):
        prepared(values)
    int8 = convert_pt2e(prepared, fold_quantize=False)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "int8.tflite"
        litert_torch.convert(int8, sample, quant_config=QuantConfig(pt2e_quantizer=chosen)).export(str(file))
        return file.read_bytes()


@dataclass(frozen=True)
class Net:
    """One of them. shape: of its input, in torch's order (batch, channels, ...)"""

    make: Callable[[], Any]
    shape: tuple[int, ...]
    quantise: Callable[[Any, tuple[int, ...]], bytes] = by_ai_edge_quantizer


NETS: Mapping[str, Net] = {
    "raw_audio": Net(RawAudio, (1, 1, 1024)),
    "ds_cnn": Net(DsCnn, (1, 1, 25, 10)),
    "gru": Net(lambda: Recurrent(nn.GRU), (1, 10, 8)),
    "lstm": Net(lambda: Recurrent(nn.LSTM), (1, 10, 8)),
    "attention": Net(Attention, (1, 12, 10)),
    "squeeze_excite": Net(SqueezeExcite, (1, 1, 20, 10)),
    "dense_autoencoder": Net(DenseAutoencoder, (1, 40)),
    "conv_autoencoder": Net(ConvAutoencoder, (1, 1, 16, 12)),
    "tcn": Net(Tcn, (1, 10, 16)),
    "residual": Net(Residual, (1, 1, 20, 10)),
    "bc_residual": Net(BroadcastResidual, (1, 1, 20, 16)),
    "group_norm": Net(GroupNormed, (1, 10, 24)),
    "attention_pool": Net(AttentionPool, (1, 12, 10)),
    "matchbox": Net(MatchBox, (1, 10, 24)),
    "statistics": Net(Statistics, (1, 10, 24)),
    "ds_cnn_pt2e": Net(lambda: DsCnn(softmax=False), (1, 1, 25, 10), by_pt2e),
    "raw_audio_pt2e": Net(RawAudio, (1, 1, 1024), by_pt2e),
    "tcn_pt2e": Net(Tcn, (1, 10, 16), by_pt2e),
    "dense_autoencoder_pt2e": Net(DenseAutoencoder, (1, 40), by_pt2e),
}


def inputs(shape: tuple[int, ...], count: int) -> list[Any]:
    """Some, always the same."""
    random = np.random.default_rng(1)
    return [torch.from_numpy(random.normal(MEAN, DEVIATION, shape).astype(np.float32)) for _ in range(count)]


def write(folder: Path, name: str) -> None:
    """FOLDER/NAME.tflite."""
    torch.manual_seed(1)
    net = NETS[name].make()
    shape = NETS[name].shape
    with torch.no_grad():  # the normalisations get a mean and a deviation
        net.train()
        for _ in range(5):
            net(torch.cat(inputs(shape, 4)))
        net.eval()
    (folder / f"{name}.tflite").write_bytes(NETS[name].quantise(net, shape))


def main() -> None:
    """The nets named, or all."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or NETS:
        write(folder, name)
        print(f"{name}: {(folder / f'{name}.tflite').stat().st_size} bytes", flush=True)


if __name__ == "__main__":
    main()
