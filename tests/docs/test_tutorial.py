# SPDX-License-Identifier: Apache-2.0
"""docs/tutorial.md: its commands parse everywhere, and go the whole way where TensorFlow is."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from codegen.common.paths import ROOT
from tests.docs.test_commands_page import command_of, parser_of
from tests.support.tools import need_tool
from tests.support.training import trainer
from toolbox.options import OPTIONS, TARGETS

PAGE = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line) for line in re.findall(r"^    earshot (.+)$", PAGE, flags=re.MULTILINE)]
FILES = re.findall(r"`(door/\w+\.toml)`[^`]*?```toml\n(.*?)```", PAGE, flags=re.DOTALL)


def test_its_commands_parse() -> None:
    assert len(COMMANDS) > 12
    for name, *words in COMMANDS:
        if "=" in name:
            assert {word.split("=")[0] for word in (name, *words)} <= OPTIONS.keys() | TARGETS.keys()
        else:
            parser_of(command_of(name)).parse_args(words)


def test_it_goes_the_whole_way(tmp_path: Path) -> None:
    """Each command as it stands there, one after the other."""
    trainer()
    need_tool("arm-none-eabi-gcc")
    need_tool("qemu-system-arm")
    (tmp_path / "door").mkdir()
    assert [name for name, _ in FILES] == ["door/pipeline.toml", "door/training.toml"]
    for name, text in FILES:
        (tmp_path / name).write_text(text)
    said = {}
    for words in COMMANDS:
        done = subprocess.run(
            [str(ROOT / "earshot"), *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}\n{done.stderr}"
        said[words[0]] = done.stdout
    heard = re.search(r"^Events +(\d+): (\d+) heard", said["evaluate"], flags=re.MULTILINE)
    alarms = re.search(r"^False alarms +(\d+) in", said["evaluate"], flags=re.MULTILINE)
    assert heard is not None
    assert alarms is not None
    assert int(heard[1]) == 72
    assert int(heard[2]) >= 65
    assert int(alarms[1]) <= 3
    for picture in ("map.png", "knock.svg", "heard.png", "curve.png"):
        assert (tmp_path / picture).stat().st_size > 5000
