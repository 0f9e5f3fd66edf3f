# SPDX-License-Identifier: Apache-2.0
"""The dispatcher: every command is listed, teaches, and ends as the exit codes promise."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from tests.support.cli import earshot, refused
from workbench import cli
from workbench.commands.list import COMMANDS
from workbench.commands.test import with_bytecode


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A command `stub-command`, known to the dispatcher alone."""
    module = ModuleType("workbench.commands.stub_command")
    module.__dict__.update(
        NAME="stub-command",
        HELP="does nothing",
        DESCRIPTION="Teaches nothing.",
        arguments=lambda parser: parser.add_argument("--code", type=int, default=0),
        run=lambda args: args.code,
    )
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(cli, "COMMANDS", ("stub_command",))
    return module


@pytest.mark.parametrize("module", COMMANDS)
def test_every_command_is_complete(module: str) -> None:
    command = importlib.import_module(f"workbench.commands.{module}")
    assert module.rstrip("_").replace("_", "-") == command.NAME
    assert command.HELP
    assert "\n" not in command.HELP
    assert f"earshot {command.NAME}" in command.DESCRIPTION  # an example
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    for action in parser._actions:
        assert action.help, action.dest
    assert all(len(line) <= 110 for line in command.DESCRIPTION.splitlines())


def test_no_module_is_left_out_of_the_list() -> None:
    files = {path.stem for path in (ROOT / "workbench" / "commands").glob("*.py")}
    assert files - {"__init__", "list"} == set(COMMANDS)


def test_help_has_a_line_for_every_command() -> None:
    for words in ([], ["--help"], ["help"]):
        done = earshot(*words)
        assert done.returncode == 0, done.stderr
        for module in COMMANDS:
            command = importlib.import_module(f"workbench.commands.{module}")
            assert f"  {command.NAME} " in done.stdout
            assert command.HELP in done.stdout


def test_a_commands_code_is_the_exit_code(stub: ModuleType) -> None:
    assert cli.main(["stub-command"]) == 0
    assert cli.main(["stub-command", "--code", "1"]) == 1


def test_bad_input_is_one_message_and_code_2(stub: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    def run(args: argparse.Namespace) -> int:
        raise UserError("it is empty", file="a.wav", place="byte 0", remedy="Record something.")

    stub.__dict__["run"] = run
    assert cli.main(["stub-command"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "a.wav, byte 0: it is empty\n  Record something.\n"


def test_an_unknown_option_is_code_2(stub: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--nix"], ["--cod", "1"], ["--code", "x"]):  # options are not guessed from their beginning
        with pytest.raises(SystemExit) as ended:
            cli.main(["stub-command", *words])
        assert ended.value.code == 2
    assert "earshot stub-command" in capsys.readouterr().err


def test_options_may_stand_between_what_has_no_name(stub: ModuleType) -> None:
    seen: list[tuple[str, str | None, int]] = []

    def arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("what", choices=("run", "image"))
        parser.add_argument("model", nargs="?")
        parser.add_argument("--code", type=int, required=True)

    def of_a_word(parser: argparse.ArgumentParser) -> None:
        arguments(parser.add_subparsers(dest="word").add_parser("deep"))

    def run(args: argparse.Namespace) -> int:
        seen.append((args.what, args.model, args.code))
        return 0

    stub.__dict__.update(arguments=arguments, run=run)
    rests = ("run m.tflite --code 3", "run --code 3 m.tflite", "--code 3 run m.tflite")
    for rest in rests:
        assert cli.main(["stub-command", *rest.split()]) == 0
    stub.__dict__.update(arguments=of_a_word)
    for rest in rests:
        assert cli.main(["stub-command", "deep", *rest.split()]) == 0
    assert seen == [("run", "m.tflite", 3)] * 6


def test_an_interrupt_is_code_130(stub: ModuleType) -> None:
    def run(args: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    stub.__dict__["run"] = run
    assert cli.main(["stub-command"]) == 130


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    code = "import sys; from workbench import cli; sys.exit(cli.main(['--help']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_other_words_go_to_scons() -> None:
    assert 'there is no board "mps3"\n  Boards: ' in refused("board=mps3")
    assert 'no command "tets"\n  Did you mean "test"?' in refused("tets")


def test_paths_for_scons_count_from_where_the_user_stands(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "pipeline.toml").write_text("[gate]\nthresold = 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "workbench", "board=pc", "app=app", "build=out"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert str(tmp_path / "app" / "pipeline.toml") in done.stderr
    assert "line 2" in done.stderr


def test_words_of_test_are_pytests_own(tmp_path: Path) -> None:
    test = tmp_path / "test_two.py"
    test.write_text("def test_a(): pass\ndef test_b(): assert 0\n")
    done = earshot("test", "-n0", "-k", "test_a or test_b", "--rootdir", tmp_path, test)
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout
    assert earshot("test", "-n0", "--no-such-option").returncode == 2


def test_ctrl_c_ends_a_command_with_one_line() -> None:
    code = "import time; print('ready', flush=True); time.sleep(30)"
    program = (
        "import sys, types; from workbench import cli\n"
        "m = types.ModuleType('m'); m.NAME = 'x'; m.DESCRIPTION = ''; m.arguments = lambda p: None\n"
        f"m.run = lambda a: exec({code!r}) or 0\n"
        "sys.modules['workbench.commands.x'] = m; cli.COMMANDS = ('x',)\n"
        "sys.exit(cli.main(['x']))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=600)
        assert (process.returncode, errors) == (130, "earshot: interrupted\n")


def test_the_version_is_the_projects() -> None:
    done = earshot("--version")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (done.returncode, done.stdout) == (0, f"earshot {version}\n")
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## {re.escape(version)}\b", changes, re.MULTILINE)


def test_processes_of_tests_keep_bytecode_out_of_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    environment = with_bytecode()
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert Path(environment["PYTHONPYCACHEPREFIX"]).is_relative_to(ROOT / "build")
