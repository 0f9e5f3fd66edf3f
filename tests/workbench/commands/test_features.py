# SPDX-License-Identifier: Apache-2.0
"""Features of recordings: the reference system's vectors, how frames make vectors, and the command."""

from __future__ import annotations

import base64
import io
import json
import re
import struct
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from codegen.app.contract import feature_contract
from codegen.app.spec_file import load_spec
from tests.support.cli import earshot, refused, remarks
from tests.support.shared import shared
from tests.support.tutorial import BARE, PIPELINE, noises, tutorial_app, tutorial_library
from workbench.host.feature_plot import feature_plot
from workbench.host.features import extract
from workbench.host.host_library import HostPipeline
from workbench.training.data_set import ARRAYS


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Named so that no other test builds into the same folder."""
    return tutorial_app(tmp_path_factory.mktemp("features") / "features_test")


@pytest.fixture(scope="module")
def pipeline(app: Path, tmp_path_factory: pytest.TempPathFactory) -> HostPipeline:
    made = tutorial_library(app, tmp_path_factory.mktemp("code")).pipeline
    assert made is not None
    return made


def command(app: Path, recording: Path, *words: str | Path) -> dict[str, NDArray[np.generic]]:
    """The arrays that `earshot features` writes."""
    output = recording.with_suffix(".npz")
    done = earshot("features", "--app", app, recording, "-o", output, *words)
    assert done.returncode == 0, done.stderr
    assert remarks(done) == done.stdout
    with np.load(output) as arrays:
        return dict(arrays)


def test_the_recording_of_the_reference_system_gives_its_vectors(app: Path, tmp_path: Path) -> None:
    """Gate flags of all windows and the vectors of those that passed, in every value."""
    vectors = np.load(shared("vectors/mfcc/stream_slide.npz"))
    recording = tmp_path / "stream.wav"
    soundfile.write(recording, vectors["audio"], 16000, subtype="PCM_16")
    made = command(app, recording)
    assert {name: (array.dtype.name, array.shape) for name, array in made.items() if name != "contract"} == {
        "mfcc": ("int32", (200, 20)),
        "gate": ("bool", (200,)),
        "scaled": ("uint8", (200, 20)),
        "vectors": ("uint8", (186, 300)),
        "window": ("int32", (186,)),
    }
    assert np.array_equal(made["gate"], vectors["pass_flags"] == 1)
    assert made["window"].tolist() == list(range(14, 200))
    passed = np.isin(made["window"], vectors["window_index"])
    assert passed.sum() == 73
    assert np.array_equal(made["vectors"][passed], vectors["feature_u8"])


def test_the_frames_of_the_reference_system_give_its_cepstra(app: Path, tmp_path: Path) -> None:
    vectors = np.load(shared("vectors/mfcc/frames.npz"))
    recording = tmp_path / "frames.flac"
    soundfile.write(recording, vectors["frames"].reshape(-1), 16000, subtype="PCM_16")
    assert np.array_equal(command(app, recording)["mfcc"], vectors["mfcc23"][:, :20])


def test_vectors_are_every_stretch_of_frames(pipeline: HostPipeline) -> None:
    features = extract(pipeline, noises(1))
    assert len(features.scaled) == 40
    assert len(features.vectors) == len(features.window) == 26
    for vector, newest in zip(features.vectors, features.window, strict=True):
        expected: list[int] = []
        for index in range(newest - 14, newest + 1):
            expected += features.scaled[index].tolist()
        assert vector.tolist() == expected
    assert not features.gate.all()


@pytest.mark.parametrize(("windows", "vectors"), [(0, 0), (1, 0), (14, 0), (15, 1), (20, 6)])
def test_the_number_of_vectors(pipeline: HostPipeline, windows: int, vectors: int) -> None:
    """20 windows make 6 vectors; fewer than a cascade make none."""
    features = extract(pipeline, noises(1)[: 400 * windows + 399])
    assert len(features.scaled) == windows
    assert features.vectors.shape == (vectors, 300)
    assert features.window.tolist() == list(range(14, windows))


def test_slide_does_not_change_what_is_trained_with(tmp_path: Path, pipeline: HostPipeline) -> None:
    app = tutorial_app(tmp_path / "door", text=PIPELINE.format(classifier="") + "[cascade]\nslide = false\n")
    fixed = tutorial_library(app, tmp_path).pipeline
    assert fixed is not None
    assert np.array_equal(extract(fixed, noises(1)).vectors, extract(pipeline, noises(1)).vectors)


def test_the_command_tells_what_it_wrote(app: Path, tmp_path: Path) -> None:
    recording = tmp_path / "noise.wav"
    soundfile.write(recording, noises(1), 16000, subtype="PCM_16")
    contract = feature_contract(load_spec(app))
    assert str(command(app, recording)["contract"]) == contract
    done = earshot("features", "--app", app, recording, "-o", tmp_path / "x.npz", "--json")
    reported = json.loads(done.stdout)
    assert (reported["windows"], reported["vectors"], reported["contract"]) == (40, 26, contract)


def test_a_recording_is_converted_when_asked(app: Path, tmp_path: Path) -> None:
    recording = tmp_path / "stereo.wav"
    stereo = np.stack([noises(1, rate=44100), noises(1, 2, rate=44100)], axis=1)
    soundfile.write(recording, stereo, 44100, subtype="PCM_24")
    reported = refused("features", "--app", app, recording, "-o", tmp_path / "x.npz")
    assert "44100 Hz" in reported
    assert "--resample --mix-down --convert" in reported
    assert len(command(app, recording, "--resample", "--mix-down", "--convert")["mfcc"]) == 40


# The picture


def picture_of(svg: str) -> NDArray[np.uint8]:
    """The grey PNG inside, by the standard's words: every row starts with filter type 0."""
    (data,) = re.findall(r"base64,([A-Za-z0-9+/=]+)", svg)
    png = io.BytesIO(base64.b64decode(data))
    assert png.read(8) == b"\x89PNG\r\n\x1a\n"
    chunks = {}
    while head := png.read(8):
        size, kind = struct.unpack(">I4s", head)
        chunks[kind] = png.read(size)
        assert struct.unpack(">I", png.read(4))[0] == zlib.crc32(kind + chunks[kind])
    columns, rows = struct.unpack(">II", chunks[b"IHDR"][:8])
    raw = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, columns + 1)
    assert not raw[:, 0].any()
    return raw[:, 1:]


def test_the_picture_shows_the_features(pipeline: HostPipeline) -> None:
    samples = noises(2)
    features = extract(pipeline, samples)
    svg = feature_plot("a <b> & c.wav", pipeline.spec, samples, features)
    root = ET.fromstring(svg)
    assert "a <b> & c.wav" in "".join(root.itertext())
    assert np.array_equal(picture_of(svg), features.scaled.T[::-1])
    # green as long as the gate is open: 1000 units are the 32000 samples
    green = [rect for rect in root.iter() if rect.get("class") == "open"]
    shown = sum(float(rect.get("width", "0")) for rect in green)
    assert shown == pytest.approx(features.gate.sum() * 400 * 1000 / 32000, abs=0.1)
    # the loudest sample reaches the edge of its 55 units, and the axis says its value
    (path,) = [one.get("d", "") for one in root.iter() if one.get("class") == "sound"]
    heights = [abs(float(pair.split(",")[1]) - 90) for pair in re.findall(r"[\d.]+,[\d.]+", path)]
    assert max(heights) == pytest.approx(55, abs=0.01)
    assert f"{np.abs(samples.astype(int)).max():,}" in [one.text for one in root.iter()]


def test_the_command_draws_it(app: Path, tmp_path: Path) -> None:
    recording = tmp_path / "noise.wav"
    soundfile.write(recording, noises(1), 16000, subtype="PCM_16")
    made = command(app, recording, "--plot", tmp_path / "x.svg")
    assert np.array_equal(picture_of((tmp_path / "x.svg").read_text()), made["scaled"].T[::-1])


# Of labels


def labelled(folder: Path) -> Path:
    for name in ("a.wav", "b.wav"):
        soundfile.write(folder / name, noises(2), 16000, subtype="PCM_16")
    file = folder / "labels.csv"
    file.write_text(
        "file,start,end,label,session,author\n"
        "b.wav,100,8100,unknown,train,Ann\n"
        "a.wav,0,8000,knocking,train,Ann\n"
        "b.wav,9000,9400,knocking,train,Ann\n"  # shorter than a decision
        "a.wav,16000,24000,knocking,test,Ben\n"
    )
    return file


def test_labels_give_a_data_set(app: Path, pipeline: HostPipeline, tmp_path: Path) -> None:
    """Every vector is that of its segment heard alone, in the order of the recordings."""
    labels = labelled(tmp_path)
    output = tmp_path / "set.npz"
    done = earshot("features", "--app", app, labels, "-o", output)
    assert done.returncode == 0, done.stderr
    assert "1 of 4 segments are shorter than one decision" in done.stderr
    with np.load(output) as arrays:
        made = dict(arrays)
    assert set(made) == set(ARRAYS)
    assert [Path(name).name for name in made["recording"]] == ["b.wav", "a.wav", "a.wav"]
    assert made["start"].tolist() == [100, 0, 16000]
    assert made["end"].tolist() == [8100, 8000, 24000]
    assert made["label"].tolist() == ["unknown", "knocking", "knocking"]
    assert made["session"].tolist() == ["train", "train", "test"]
    assert made["author"].tolist() == ["Ann", "Ann", "Ben"]
    assert str(made["contract"]) == pipeline.contract
    sound = noises(2)
    expected = [
        extract(pipeline, sound[a:b]).vectors for a, b in zip(made["start"], made["end"], strict=True)
    ]
    assert np.array_equal(made["x"].reshape(len(made["x"]), -1), np.concatenate(expected))
    assert np.array_equal(made["segment"], np.repeat(np.arange(3), [len(one) for one in expected]))
    names = made["labels"].tolist()
    assert [names[label] for label in made["y"]] == [made["label"][one] for one in made["segment"]]
    said = " ".join(f"{name} {np.count_nonzero(made['y'] == names.index(name))}," for name in names)
    assert said.removesuffix(",") in done.stdout


def test_a_part_of_the_labels(app: Path, tmp_path: Path) -> None:
    labels = labelled(tmp_path)
    done = earshot(
        *("features", "--app", app, labels, "--session", "train", "--where", "label=knocking"),
        *("-o", tmp_path / "set.npz", "--json"),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["segments"] == 1
    assert "no segment has a column device" in refused(
        "features", "--app", app, labels, "--where", "device=xg24", "-o", tmp_path / "x.npz"
    )
    assert "--plot draws a recording, and these are labels" in refused(
        "features", "--app", app, labels, "-o", tmp_path / "x.npz", "--plot", tmp_path / "x.svg"
    )
    assert "--session chooses among labels, and this is a recording" in refused(
        "features", "--app", app, tmp_path / "a.wav", "-o", tmp_path / "x.npz", "--session", "train"
    )


# What is no recording, no app, no place to write


def test_bad_input_ends_in_one_message(app: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.wav"
    soundfile.write(good, noises(1), 16000, subtype="PCM_16")
    text, empty, fast, short = (tmp_path / name for name in ("a.wav", "b.wav", "c.wav", "d.wav"))
    text.write_text("no sound at all")
    empty.touch()
    soundfile.write(fast, noises(1, rate=44100), 44100, subtype="PCM_16")
    soundfile.write(short, noises(1)[:399], 16000, subtype="PCM_16")
    out = tmp_path / "out.npz"
    cases = [
        ((app, text, out), "a.wav: is not audio that can be read"),
        ((app, empty, out), "b.wav: is empty"),
        ((app, fast, out), "c.wav: its sample rate is 44100 Hz, the app's is 16000 Hz"),
        ((app, short, out), "d.wav: has 399 samples; a window is 400"),
        ((app, tmp_path / "none.wav", out), "none.wav: there is no such file"),
        ((app, good, tmp_path / "no" / "out.npz"), "cannot be written: No such file or directory"),
        ((tmp_path, good, out), "this folder has no pipeline.toml"),
        ((tmp_path / "none", good, out), "there is no such app"),
    ]
    for (folder, recording, output), words in cases:
        reported = refused("features", "--app", folder, recording, "-o", output)
        assert words in reported
        assert len(reported.splitlines()) <= 2
    reported = refused("features", "--app", app, good, "-o", out, "--plot", tmp_path / "x.png")
    assert "x.png: the picture is SVG" in reported
    assert not out.exists()


def test_a_bare_model_has_no_features(tmp_path: Path) -> None:
    bare = tutorial_app(tmp_path / "bare", text=BARE)
    reported = refused("features", "--app", bare, tmp_path / "x.wav", "-o", tmp_path / "x.npz")
    assert "is a bare model: it has no features" in reported


def test_an_app_without_a_model_has_features(tmp_path: Path) -> None:
    """98 windows of 13 cepstra: no other app's model fits. Only what makes features has to be there."""
    app = tmp_path / "features_first"
    app.mkdir()
    front = "[window]\nsize = 400\nstride = 160\n[mfcc]\ncepstra = 13\nfilters = 40\n[cascade]\nframes = 98\n"
    rest = '[classifier]\nmodel = "net/model.tflite"\n[decision]\nlabels = ["a", "b"]\nthreshold = 0.8\n'
    recording = tmp_path / "word.wav"
    soundfile.write(recording, noises(1), 16000, subtype="PCM_16")
    reported = []
    for text in (front + rest, front):
        (app / "pipeline.toml").write_text(text)
        made = command(app, recording)
        reported.append((str(made["contract"]), made["vectors"].shape, made["mfcc"].tobytes()))
    assert reported[0][1] == (1, 98 * 13)
    assert reported[0] == reported[1]
    (app / "pipeline.toml").write_text(front + rest.replace("0.8", "8"))
    assert f"{app / 'pipeline.toml'}, line 13, [decision] threshold" in refused(
        "features", "--app", app, recording, "-o", tmp_path / "x.npz"
    )


def test_a_model_that_does_not_fit_does_not_matter(app: Path, tmp_path: Path) -> None:
    recording = tmp_path / "noise.wav"
    soundfile.write(recording, noises(1), 16000, subtype="PCM_16")
    other = tutorial_app(tmp_path / "features_other")
    (other / "model.tflite").write_bytes(b"not a model at all")
    assert np.array_equal(command(other, recording)["vectors"], command(app, recording)["vectors"])
