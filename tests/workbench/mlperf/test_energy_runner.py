# SPDX-License-Identifier: Apache-2.0
"""The benchmark's energy test by its own runner, as it is: an image in QEMU, stand-ins for power monitor and
interface board. The energies are made up; shown is that the image is what the runner takes it for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from codegen.board.description import load_board
from codegen.common.paths import ROOT
from tests.support.benchmark import benchmark_image, stimuli
from tests.support.energy_bench import Interface, Monitor
from tests.support.tools import need_target
from workbench.build import build
from workbench.mlperf.dataset import read_stimuli
from workbench.mlperf.dialogue import Dialogue
from workbench.mlperf.pseudo_terminal import pseudo_terminal
from workbench.targets import Microphone, QemuOptions
from workbench.targets.qemu import qemu_link

CHECKOUT = "EARSHOT_MLPERF"  # the folder of a checkout of mlcommons/tiny
BOARD = "mps2_an386"
SCRIPT = """\
kws01:
  name: keyword_spotting
  model: kws01
  truth_file: y_labels.csv
  script:
    - loop 5:
      - download
      - infer 20000 10
"""


STREAM = """\
sww01:
  name: streaming_wakeword
  model: sww01
  truth_file: sww_short_test.json
  script:
    - stream
"""


def run_energy(tiny: Path, folder: Path, devices: str, script: Path, ports: tuple[str, str]) -> str:
    """The runner's words; it ended well. ports: of the monitor and of the interface board."""
    runner = tiny / "benchmark" / "runner"
    words = ["-d", str(runner / devices), "-t", str(script), "-m", "e"]
    words += ["-s", str(folder / "datasets")]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.support.energy_bench",
            *ports,
            str(runner / "main.py"),
            *words,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def test_the_official_runner_measures_between_the_image_s_pulses(tmp_path: Path) -> None:
    if not os.environ.get(CHECKOUT):
        pytest.skip(f"{CHECKOUT} names no checkout of mlcommons/tiny")
    need_target("qemu")
    image, graph = benchmark_image("kws", BOARD, energy=True)
    folder = stimuli(tmp_path / "datasets" / "kws01", "kws", 5)
    script = tmp_path / "tests.yaml"
    script.write_text(SCRIPT)
    log = tmp_path / "pins.log"
    link = qemu_link(load_board(BOARD), image, QemuOptions(pins=log))
    try:
        monitor, interface = Monitor(log), Interface(link, log)
        with pseudo_terminal(monitor) as power, pseudo_terminal(interface) as board:
            tiny = Path(os.environ[CHECKOUT])
            said = run_energy(tiny, tmp_path, "devices_kws_ic_vww.yaml", script, (power, board))
        expected = []
        dialogue = Dialogue(link, BOARD)
        for stimulus in read_stimuli(folder):
            dialogue.load(next(iter(stimulus.inputs())))
            expected.append(list(dialogue.infer().results))
    finally:
        link.close()
    assert f"Device name retrieved: {BOARD}" in said
    assert "Device model retrieved: kws01" in said
    assert interface.bauds == [9600]
    assert "eventsrc d7 fal" in monitor.commands
    (session,) = (tmp_path / "sessions").iterdir()
    results = json.loads((session / "results.json").read_text())
    assert [result["infer"]["results"] for result in results] == expected
    assert all(len(result["infer"]["results"]) == graph.output.size for result in results)
    assert [len(result["power"]["timestamps"]) for result in results] == 5 * [2]
    text = (session / "results.txt").read_text()
    assert "Median energy cost is" in text
    assert "Inferences    : 20000" in text
    for result in results:
        (_, first), (_, last) = result["power"]["timestamps"]
        assert 0 < last - first < len(result["power"]["samples"])


def test_the_official_runner_counts_what_the_streaming_image_hears(tmp_path: Path) -> None:
    """The reference model on the benchmark's recording, played by the emulated microphone: two of three wake
    words and nothing else, as the reference hears; and a pulse for each window."""
    if not os.environ.get(CHECKOUT):
        pytest.skip(f"{CHECKOUT} names no checkout of mlcommons/tiny")
    need_target("qemu")
    tiny = Path(os.environ[CHECKOUT])
    app = tmp_path / "mlperf_sww"
    app.mkdir()
    (app / "pipeline.toml").write_bytes((ROOT / "examples" / "mlperf_sww" / "pipeline.toml").read_bytes())
    model = tiny / "benchmark/training/streaming_wakeword/trained_models/str_ww_ref_model.tflite"
    (app / "model.tflite").write_bytes(model.read_bytes())
    image = build(BOARD, app, tmp_path / "build", mlperf="sww", energy=True).image
    samples, rate = soundfile.read(tiny / "benchmark/runner/sd_card/short_wav_easy10s.wav", dtype="int16")
    sound = tmp_path / "sound.s16le"
    sound.write_bytes(samples[:, 0].astype("<i2").tobytes())
    truth = tmp_path / "datasets" / "sww01" / "sww_short_test.json"
    truth.parent.mkdir(parents=True)
    truth.write_bytes((tiny / "benchmark/runner/sww_data_dir/sww_short_test.json").read_bytes())
    script, log = tmp_path / "tests.yaml", tmp_path / "pins.log"
    script.write_text(STREAM)
    link = qemu_link(load_board(BOARD), image, QemuOptions(Microphone(sound, rate), pins=log))
    try:
        monitor, interface = Monitor(log), Interface(link, log, len(samples) / rate + 2)
        with pseudo_terminal(monitor) as power, pseudo_terminal(interface) as board:
            run_energy(tiny, tmp_path, "devices_sww.yaml", script, (power, board))
    finally:
        link.close()
    (session,) = (tmp_path / "sessions").iterdir()
    text = (session / "results.txt").read_text()
    assert "Accuracy: 2 True positives, 1 False negatives, 0 False positives" in text
    (result,) = json.loads((session / "results.json").read_text())
    starts, stops = (result["dutycycle"][f"{end}_times_s"] for end in ("start", "stop"))
    assert 200 < len(starts) == len(stops) <= 312  # a busy computer emulates late
    assert all(start < stop for start, stop in zip(starts, stops, strict=True))
    assert all(stop < start for stop, start in zip(stops, starts[1:], strict=False))
    assert len(result["power"]["timestamps"]) == 2
    assert interface.bauds == [115200]
