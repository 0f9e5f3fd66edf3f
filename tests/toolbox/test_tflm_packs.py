# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Lite Micro from CMSIS-Packs: what is missing, broken or a stub is reported."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from codegen.board.description import load_board
from codegen.common.errors import UserError
from tests.support.toy_tflm import SOURCES, toy_packs
from toolbox.packs.cache import PackCache
from toolbox.tflm.packs import PACKS, TFLM, find_packs, target_of

M4 = load_board("mps2_an386")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The packs of the toy; nobody asks the network."""
    monkeypatch.setenv("EARSHOT_PACKS", str(tmp_path / "cache"))
    monkeypatch.setattr(PackCache, "update", lambda _: 0)
    return toy_packs(tmp_path / "cache")


def refused(build: Path) -> str:
    with pytest.raises(UserError) as error:
        find_packs(M4, build)
    return str(error.value)


def test_what_the_packs_give(cache: Path, tmp_path: Path) -> None:
    found = find_packs(M4, tmp_path / "build")
    assert found.version == "TensorFlow Lite Micro 1.0.0"
    assert [source.file.name for source in found.sources] == [Path(source).name for source in SOURCES]
    assert [source.pack for source in found.sources] == [TFLM, TFLM, "ARM.CMSIS-NN"]
    assert found.kernels == {"fully_connected"}
    assert found.packs == tuple(f"{name} 1.0.0" for name in PACKS)
    assert all(folder.is_dir() for folder in found.includes)
    made = found.includes[-1]
    assert "#define TOY_FIRST 1" in (made / "Pre_Include_Global.h").read_text().splitlines()
    assert "#define RTE_TOY 1" in (made / "RTE_Components.h").read_text().splitlines()
    assert find_packs(M4, tmp_path / "build") == found
    target = target_of(load_board("mps2_an505"))
    assert (target["Dcore"], target["Dfpu"], target["Ddsp"]) == ("Cortex-M33", "SP_FPU", "DSP")


def test_an_empty_index_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """cmsis-pack-manager raises nothing then: the real one, sent to an index that is not there."""
    monkeypatch.setenv("EARSHOT_PACKS", str(tmp_path / "cache"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    message = refused(tmp_path / "build")
    assert "there is no TensorFlow Lite Micro: tflm= names no checkout" in message
    assert "tensorflow.tensorflow-lite-micro, tensorflow.flatbuffers" in message
    assert "The index of packs is empty and no network brings it" in message
    assert "EARSHOT_TFLM" in message
    assert capsys.readouterr().err.count("asking the network") == 1
    assert not (tmp_path / "build").exists()


def test_a_pack_that_is_missing(cache: Path, tmp_path: Path) -> None:
    (cache / "tensorflow/ruy/1.0.0.pack").unlink()
    message = refused(tmp_path / "build")
    assert "is missing: tensorflow.ruy" in message


def test_a_pack_of_the_index_is_fetched(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = cache / "tensorflow/ruy/1.0.0.pack"
    data = file.read_bytes()
    file.unlink()
    for version in ("0.9.0", "1.0.0"):
        (cache / f"tensorflow.ruy.{version}.pdsc").write_text("")

    def fetch(self: PackCache, release: object) -> Path:
        assert str(release) == "tensorflow.ruy 1.0.0"
        file.write_bytes(data)
        return file

    monkeypatch.setattr(PackCache, "fetch", fetch)
    assert len(find_packs(M4, tmp_path / "build").sources) == len(SOURCES)


def stub(cache: Path, pack: str, *lost: str) -> None:
    """The same pack without some of its files."""
    file = cache.joinpath(*pack.split(".", 1)) / "1.0.0.pack"
    with zipfile.ZipFile(file) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if name not in lost}
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in kept.items():
            archive.writestr(name, data)


def test_a_stub(cache: Path, tmp_path: Path) -> None:
    stub(cache, "ARM.CMSIS-NN", f"Source/{SOURCES[2]}")
    message = refused(tmp_path / "build")
    assert (
        f"ARM.CMSIS-NN 1.0.0 lists files for CMSIS:NN Lib that are not in it: Source/{SOURCES[2]}" in message
    )
    assert "It is a stub or incomplete" in message


def test_of_another_version(cache: Path, tmp_path: Path) -> None:
    stub(cache, TFLM, "tensorflow/lite/micro/micro_resource_variable.h")
    assert "another version of TensorFlow Lite Micro" in refused(tmp_path / "build")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 and no more", b"<html>not found</html>"])
def test_no_zip(cache: Path, tmp_path: Path, data: bytes) -> None:
    (cache / "tensorflow/gemmlowp/1.0.0.pack").write_bytes(data)
    assert "it is no pack" in refused(tmp_path / "build")
    assert not list((tmp_path / "build").rglob(".new-*"))


def test_another_pack_under_its_name(cache: Path, tmp_path: Path) -> None:
    (cache / "tensorflow/ruy/1.0.0.pack").write_bytes((cache / "tensorflow/gemmlowp/1.0.0.pack").read_bytes())
    assert "it is the pack tensorflow.gemmlowp, not tensorflow.ruy" in refused(tmp_path / "build")


def test_a_new_file_of_the_same_version_is_unpacked_anew(cache: Path, tmp_path: Path) -> None:
    before = find_packs(M4, tmp_path / "build")
    stub(cache, TFLM)
    after = find_packs(M4, tmp_path / "build")
    assert before.where != after.where
