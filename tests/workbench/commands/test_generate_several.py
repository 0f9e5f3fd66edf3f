# SPDX-License-Identifier: Apache-2.0
"""generate of an app with several models: a folder that decides as the app's image does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from codegen.common.paths import ROOT
from tests.firmware.device.test_several_models import write_app
from tests.support.build_sh import build
from tests.support.cli import earshot
from tests.support.compile import WARNINGS
from workbench.audio.synthesize import write_session

WAITS = 'name = "words"\nwaits_for = "door.knocking"\nstays = 30\n'


@pytest.mark.parametrize("waits", [False, True])
def test_the_folder_decides_as_the_image(waits: bool, tmp_path: Path) -> None:
    """Each line of each model: the example's, and those of the firmware as a program of this computer."""
    app = write_app(tmp_path, "both")
    if waits:
        file = app / "pipeline.toml"
        file.write_text(file.read_text().replace('name = "words"\n', WAITS))
    folder = tmp_path / "sources"
    done = earshot("generate", "--app", app, "-o", folder)
    assert done.returncode == 0, done.stderr
    assert "\ndoor\nlayer" in done.stdout
    assert "\nwords\nlayer" in done.stdout
    readme = (folder / "README.txt").read_text()
    assert readme.count("Model SHA-256") == readme.count("Feature contract") == 2

    write_session(tmp_path / "sounds", 9, recordings=1, count=3)
    sound = next((tmp_path / "sounds").glob("*knocking*.wav"))
    samples, _ = soundfile.read(sound, dtype="int16")
    program = build(folder, "cc", "-O1", *WARNINGS)
    heard = subprocess.run([program], input=samples.astype("<i2").tobytes(), capture_output=True, check=True)
    names = "door", "words"
    wanted = []
    for line in earshot("replay", "--app", app, "--target", "pc", sound).stdout.splitlines():
        one = json.loads(line)
        label = one["Label"] if one["Classification"] else "Unknown"
        wanted.append(f"window {one['Sequence']}, {names[one['ModelNumber']]}: {label}, score {one['Score']}")
    assert heard.stdout.decode().splitlines() == wanted
    by_words = sum(", words: " in line for line in wanted)
    assert 0 < by_words < len(wanted) // 2 if waits else by_words > 0


def test_what_is_generated_is_in_the_house_style(tmp_path: Path) -> None:
    app = write_app(tmp_path, "both")
    folder = tmp_path / "sources"
    assert earshot("generate", "--app", app, "-o", folder).returncode == 0
    shutil.copy(ROOT / ".clang-format", folder)
    own = ["main.c", "both_members.c", "both_members.h"]
    clang_format = Path(sys.executable).with_name("clang-format")
    done = subprocess.run(
        [clang_format, "--dry-run", "-Werror", *own], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
