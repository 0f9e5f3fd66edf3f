# SPDX-License-Identifier: Apache-2.0
"""earshot packs: small packs into the real cmsis-pack-manager, and what is said of them."""

from __future__ import annotations

import argparse
import functools
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from codegen.board.description import Board, load_board
from codegen.common.errors import UserError
from tests.support.flash_tools import CHIP
from tests.support.packs import CORE, RIGHT, description, write_description, write_pack
from toolbox.packs.cache import PackCache, Release, version_key
from toolbox.packs.compare import KNOWN_BAD, compare
from workbench.commands import packs

BOARD = CHIP + '[pack]\nname = "Maker.Chip_DFP"\ndevice = "CHIP1536"\n'


@pytest.fixture
def cache(tmp_path: Path) -> PackCache:
    return PackCache(tmp_path / "packs")


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return board_of(tmp_path, BOARD)


def board_of(folder: Path, text: str) -> Board:
    (folder / "boards" / "chip").mkdir(parents=True)
    (folder / "boards" / "chip" / "board.toml").write_text(text)
    return load_board("chip", folder / "boards")


def differences(board: Board, cache: PackCache) -> list[str]:
    chip = cache.chip("CHIP1536")
    assert chip is not None
    return [finding.what for finding in compare(board, chip) if finding.differs]


def test_a_description_that_agrees(tmp_path: Path, cache: PackCache, board: Board) -> None:
    release = cache.add_description(write_description(tmp_path, description()))
    assert release == Release("Maker", "Chip_DFP", "1.2.3")
    assert differences(board, cache) == []
    chip = cache.chip("chip1536")
    assert chip is not None
    reported = [finding.what for finding in compare(board, chip)]
    assert reported == [
        "flash flash 0x08000000..0x08180000: the same in the pack",
        "ram ram 0x20000000..0x20040000: the same in the pack",
        "core cortex-m33 with FPU: in the pack cortex-m33 with FPU",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (description(RIGHT.replace("0x180000", "0x100000")), "flash 0x08000000..0x08180000: not within"),
        (description(RIGHT.replace("0x20000000", "0x20010000")), "ram 0x20000000..0x20040000: not within"),
        (description(RIGHT.replace('"rwx"', '"rx"')), "ram ram 0x20000000..0x20040000: not within"),
        (description(core=CORE.replace("M33", "M4")), "with FPU: the pack has cortex-m4 with FPU"),
        (description(core=CORE.replace('Dfpu="1"', 'Dfpu="0"')), "the pack has cortex-m33 without FPU"),
    ],
)
def test_a_difference_is_reported(
    tmp_path: Path, cache: PackCache, board: Board, text: str, words: str
) -> None:
    cache.add_description(write_description(tmp_path, text))
    (reported,) = differences(board, cache)
    assert words in reported


def test_a_board_may_use_less_and_banks_are_one_memory(tmp_path: Path, cache: PackCache) -> None:
    less = BOARD.replace("start = 0x0800_0000\nsize = 0x18_0000", "start = 0x0801_0000\nsize = 0x17_0000")
    board = board_of(tmp_path, less)
    banks = RIGHT.replace('size="0x40000"', 'size="0x30000"')
    banks += '<memory name="RAM2" access="rw" start="0x20030000" size="0x10000" default="1"/>'
    cache.add_description(write_description(tmp_path, description(banks)))
    chip = cache.chip("CHIP1536")
    assert chip is not None
    findings = compare(board, chip)
    assert not any(finding.differs for finding in findings)
    assert "within the pack's 0x08000000..0x08180000" in findings[0].what


@pytest.mark.parametrize(
    ("zero", "words"),
    [
        ("0x0", "the pack gives IROM1, RAM the size 0: its description is faulty, so pyOCD cannot use this"),
        ("0", "the pack gives the chip no memory that can be read: its description is faulty"),
    ],
)
def test_regions_of_size_0_are_explained(
    tmp_path: Path, cache: PackCache, board: Board, zero: str, words: str
) -> None:
    empty = re.sub(r'(start|size)="\w+"', rf'\1="{zero}"', RIGHT)
    (name, version), _ = next(iter(KNOWN_BAD.items()))
    vendor, pack = name.split(".")
    text = description(empty, vendor=vendor, name=pack, version=version)
    cache.add_description(write_description(tmp_path, text, f"{name}.pdsc"))
    reported = differences(board, cache)
    assert reported[0].startswith(f"{name} 2025.6.2: this release is known")
    assert words in reported[1]
    assert reported[2].endswith("not within the flash of the pack: none")


# Core, flash and RAM of the chips, from the vendors' device headers: start and size.
HEADERS = {
    "xg24": ("Cortex-M33", 0x08000000, 0x180000, 0x20000000, 0x40000),
    "nrf52840dk": ("Cortex-M4", 0, 0x100000, 0x20000000, 0x40000),
    "nano33ble": ("Cortex-M4", 0, 0x100000, 0x20000000, 0x40000),
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_projects_boards_agree_with_the_headers_of_their_chips(
    tmp_path: Path, cache: PackCache, name: str
) -> None:
    core, flash, flash_size, ram, ram_size = HEADERS[name]
    board = load_board(name)
    assert board.pack is not None
    memories = (
        f'<memory name="FLASH" access="rx" start="{flash:#x}" size="{flash_size:#x}" default="1"/>'
        f'<memory name="RAM" access="rwx" start="{ram:#x}" size="{ram_size:#x}" default="1"/>'
    )
    vendor, pack = board.pack.name.split(".")
    text = description(
        memories,
        core=CORE.replace("Cortex-M33", core),
        device=board.pack.device,
        vendor=vendor,
        name=pack,
    )
    cache.add_description(write_description(tmp_path, text, f"{board.pack.name}.pdsc"))
    chip = cache.chip(board.pack.device)
    assert chip is not None
    assert [finding.what for finding in compare(board, chip) if finding.differs] == []


def test_what_is_no_description(tmp_path: Path, cache: PackCache) -> None:
    with pytest.raises(UserError, match="No such file"):
        cache.add_description(tmp_path / "none.pdsc")
    with pytest.raises(UserError, match="not XML"):
        cache.add_description(write_description(tmp_path, "<package><vendor"))
    with pytest.raises(UserError, match="no vendor, name and release"):
        cache.add_description(write_description(tmp_path, "<package/>"))


def test_a_core_the_library_does_not_know_drops_the_pack_and_that_is_reported(
    tmp_path: Path, cache: PackCache
) -> None:
    text = description(core=CORE.replace("Cortex-M33", "Cortex-M99"))
    with pytest.raises(UserError, match="none of the 1 devices of Maker"):
        cache.add_description(write_description(tmp_path, text))


def test_a_pack_goes_where_pyocd_finds_it(tmp_path: Path, cache: PackCache) -> None:
    file = write_pack(tmp_path, description())
    cache.add_pack(file)
    laid = cache.folder / "Maker" / "Chip_DFP" / "1.2.3.pack"
    assert laid.read_bytes() == file.read_bytes()
    assert cache.pack_file("Maker.Chip_DFP") == laid
    cache.add_pack(laid)  # onto itself
    assert cache.pack_file("Maker.Chip_DFP", "1.2.3") == laid
    assert cache.pack_file("Maker.Chip_DFP", "1.2.4") is None
    assert cache.pack_file("Maker.Other_DFP") is None


def test_what_is_no_pack(tmp_path: Path, cache: PackCache) -> None:
    (tmp_path / "text.pack").write_text("no zip")
    with pytest.raises(UserError, match="it is no pack"):
        cache.add_pack(tmp_path / "text.pack")
    with pytest.raises(UserError, match="it is no pack"):
        cache.add_pack(tmp_path / "none.pack")
    climbing = write_pack(tmp_path, description(vendor="../../up"))
    with pytest.raises(UserError, match="cannot be the name of a file"):
        cache.add_pack(climbing)
    assert not (tmp_path / "up").exists()


def test_the_newest_of_several_packs(tmp_path: Path, cache: PackCache) -> None:
    folder = cache.folder / "Maker" / "Chip_DFP"
    folder.mkdir(parents=True)
    for version in ("1.9.0", "1.10.0", "1.10.0-rc2"):
        (folder / f"{version}.pack").touch()
    assert cache.pack_file("Maker.Chip_DFP") == folder / "1.10.0.pack"
    assert version_key("2025.12.1") > version_key("2025.6.2")


def call(
    monkeypatch: pytest.MonkeyPatch, board: Board, cache: PackCache, *words: str
) -> tuple[int, argparse.Namespace]:
    """`earshot packs WORDS` with this one board and this cache."""
    monkeypatch.setattr(packs, "board_names", lambda: (board.name,))
    monkeypatch.setattr(packs, "load_board", lambda name: board)
    parser = argparse.ArgumentParser()
    packs.arguments(parser)
    args = parser.parse_args(["--cache", str(cache.folder), *words])
    return packs.run(args), args


def test_without_a_network_the_empty_index_is_reported(
    cache: PackCache, board: Board, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # What the library does on a machine that reaches no network: nothing, without a word.
    monkeypatch.setattr(PackCache, "update", lambda self: 0)
    assert call(monkeypatch, board, cache)[0] == 1
    reported = capsys.readouterr().out
    assert "the index of packs is empty: no network reached it" in reported
    assert "--pdsc" in reported


def test_the_command_takes_a_local_pack_and_compares(
    tmp_path: Path,
    cache: PackCache,
    board: Board,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = write_pack(tmp_path, description(RIGHT.replace("0x180000", "0x100000")))
    assert call(monkeypatch, board, cache, "--board", "chip", "--pack", str(file), "--no-fetch")[0] == 1
    reported = capsys.readouterr().out
    assert "DIFFERS  flash flash" in reported
    assert "no flash algorithm" in reported
    assert str(cache.folder / "Maker" / "Chip_DFP" / "1.2.3.pack") in reported


def test_a_local_description_is_compared_without_the_pack(
    tmp_path: Path,
    cache: PackCache,
    board: Board,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    algorithm = '<algorithm name="Flash/chip.FLM" start="0x08000000" size="0x180000" default="1"/>'
    file = write_description(tmp_path, description(more=algorithm))
    assert call(monkeypatch, board, cache, "--pdsc", str(file), "--no-fetch", "--json")[0] == 0
    reported = json.loads(capsys.readouterr().out)
    assert reported["cache"] == str(cache.folder)
    (only,) = reported["boards"]
    assert only["release"] == "Maker.Chip_DFP 1.2.3"
    assert (len(only["same"]), only["differs"], only["pack"]) == (3, [], None)
    assert "the pack itself is not here (nothing was fetched)" in only["remark"]
    call(monkeypatch, board, cache, "--pdsc", str(file), "--no-fetch")
    assert "no flash algorithm" not in capsys.readouterr().out


INDEX = """\
<?xml version="1.0" encoding="UTF-8"?>
<index schemaVersion="1.1.0"><vendor>Maker</vendor><url>{url}</url><timestamp>2026-01-01T00:00:00</timestamp>
<pindex><pdsc url="{url}" vendor="Maker" name="Chip_DFP" version="1.2.3"/></pindex></index>
"""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder's files on this computer's loopback; yields their address."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_index_description_and_pack_are_fetched(
    tmp_path: Path,
    board: Board,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The library's own network code, from an index on this computer."""
    files = tmp_path / "files"
    files.mkdir()
    with served(files) as url:
        text = description().replace("http://localhost/", url)
        write_description(files, text)
        write_pack(files, text).rename(files / "Maker.Chip_DFP.1.2.3.pack")
        (files / "index.pidx").write_text(INDEX.format(url=url))
        indexes = tmp_path / "indexes"
        indexes.write_text(f"{url}index.pidx\n")
        for cache in (PackCache(tmp_path / "one"), PackCache(tmp_path / "two")):
            # In the second, the description is local and the pack alone is fetched.
            words = ["--index", str(indexes)] if cache.folder.name == "one" else []
            words += ["--pdsc", str(files / "Maker.Chip_DFP.pdsc")] if not words else []
            assert call(monkeypatch, board, cache, *words)[0] == 0
            laid = cache.folder / "Maker" / "Chip_DFP" / "1.2.3.pack"
            assert laid.read_bytes() == (files / "Maker.Chip_DFP.1.2.3.pack").read_bytes()
            assert f"pack     {laid}" in capsys.readouterr().out
    with pytest.raises(UserError, match="there is no such file"):
        PackCache(tmp_path, tmp_path / "none")


def test_a_device_the_index_does_not_have(
    tmp_path: Path,
    cache: PackCache,
    board: Board,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = write_description(tmp_path, description(device="OTHER"))
    assert call(monkeypatch, board, cache, "--pdsc", str(file), "--no-fetch")[0] == 1
    assert "the index (1 devices) does not have CHIP1536; nothing was fetched." in capsys.readouterr().out


def test_a_board_without_a_pack_is_refused() -> None:
    parser = argparse.ArgumentParser()
    packs.arguments(parser)
    with pytest.raises(UserError, match='the board "mps2_an386" names no pack'):
        packs.run(parser.parse_args(["--board", "mps2_an386"]))
