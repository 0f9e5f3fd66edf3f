# SPDX-License-Identifier: Apache-2.0
"""What the official runner is given: folders that it finds from where it works, and nobody's files lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.common.errors import UserError
from workbench.mlperf.official import run_official, run_streaming

# In place of the checkout's programs: each says whether it finds what its words name.
RUNNER = """\
import sys
from pathlib import Path
words = dict(zip(sys.argv[1::2], sys.argv[2::2]))
assert Path(words["-d"]).is_file()
assert [file.read_bytes() for file in sorted(Path(words["-s"], "kws01").glob("*.bin"))] == [b"0", b"1"]
Path("sessions/one").mkdir(parents=True)
Path("sessions/one/results.txt").write_text("done")
"""
DRIVER = """\
import sys
from pathlib import Path
Path(sys.argv[sys.argv.index("--specfile") + 1]).write_text("done")
"""


class Silent:
    """A line on which nothing comes."""

    def send(self, data: bytes) -> None:
        """Nobody reads it."""

    def receive(self, timeout: float) -> bytes:
        """Nothing."""
        return b""

    def close(self) -> None:
        """Nobody listens any more."""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    programs = folder / "benchmark" / "runner"
    programs.mkdir(parents=True)
    (programs / "main.py").write_text(RUNNER)
    (programs / "stream_wav_uart.py").write_text(DRIVER)
    return folder


def stimuli(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"{number}.bin").write_bytes(b"%d" % number)
    (folder / "y_labels.csv").write_text("".join(f"{number}.bin,3,{number}\n" for number in range(3)))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_relative_folder_is_the_one_that_was_named(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = stimuli(tmp_path / "stimuli")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # the links of an earlier run are replaced
        done = run_official(Silent(), tiny, "kws01", Path("stimuli"), Path("run"), count=2)
        assert done.folder == tmp_path / "run" / "sessions" / "one"
        (done.folder / "results.txt").unlink()
        done.folder.rmdir()
        done.folder.parent.rmdir()
    assert len(contents(source)) == 4
    found = run_streaming(Silent(), tiny, Path("sound.wav"), Path("run"))
    assert found == tmp_path / "run" / "specgram.npz"
    assert found.read_text() == "done"


def test_an_earlier_session_is_no_result_of_this_run(tiny: Path, tmp_path: Path) -> None:
    stimuli(tmp_path / "stimuli")
    old = tmp_path / "run" / "sessions" / "20200101_000000"
    old.mkdir(parents=True)
    (old / "results.txt").write_text("done")
    (tiny / "benchmark" / "runner" / "main.py").write_text("print('nothing to do')\n")
    with pytest.raises(UserError, match=r"without results \(exit code 0\)(?s:.*)nothing to do"):
        run_official(Silent(), tiny, "kws01", tmp_path / "stimuli", tmp_path / "run", count=2)


@pytest.mark.parametrize("linked", [False, True])
def test_the_stimuli_own_folder_is_not_written(tiny: Path, tmp_path: Path, linked: bool) -> None:
    source = stimuli(tmp_path / "datasets" / "kws01")
    before = contents(source)
    named = source
    if linked:
        named = tmp_path / "link"
        named.symlink_to(source)
    with pytest.raises(UserError, match="holds stimuli, which the runner's links would replace"):
        run_official(Silent(), tiny, "kws01", named, tmp_path, count=1)
    assert contents(source) == before


def test_other_files_in_the_folder_of_a_run_are_not_replaced(tiny: Path, tmp_path: Path) -> None:
    other = stimuli(tmp_path / "run" / "datasets" / "kws01")
    (other / "0.bin").write_bytes(b"somebody's own")
    before = contents(other)
    with pytest.raises(UserError, match="would replace"):
        run_official(Silent(), tiny, "kws01", stimuli(tmp_path / "stimuli"), tmp_path / "run")
    assert contents(other) == before
