# SPDX-License-Identifier: Apache-2.0
"""Messages: safe for a terminal, and what the disk says in the user's words."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from codegen.common.errors import UserError, disk_error, printable
from codegen.common.paths import ROOT
from workbench import cli


def test_control_characters_do_not_reach_the_terminal() -> None:
    reported = str(UserError("a \x1b[2Jb\rc\x9b", file="x\ny", place="p\x07", remedy="r\u202e\n    two"))
    assert reported == "x\\ny, p\\x07: a \\x1b[2Jb\\rc\\x9b\n  r\\u202e\n    two"
    assert printable("Tür\tund\nTor 東京") == "Tür\tund\nTor 東京"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_checkout_that_may_not_be_written(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(words: object) -> int:
        raise OSError(number, "not yours", str(ROOT / "build" / "models"))

    monkeypatch.setattr(cli, "_dispatch", refused)
    assert cli.main(["verify"]) == 2
    reported = capsys.readouterr().err
    assert f"{ROOT / 'build' / 'models'}: not yours\n" in reported
    assert "clone it to one that you may write" in reported


def test_a_defect_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(words: object) -> int:
        raise OSError(errno.EBADF, "bad file descriptor")

    monkeypatch.setattr(cli, "_dispatch", broken)
    with pytest.raises(OSError, match="bad file descriptor"):
        cli.main(["verify"])


def test_a_full_disk() -> None:
    reported = disk_error(OSError(errno.ENOSPC, "No space left on device", "/mnt/x"))
    assert reported is not None
    assert (reported.file, reported.what) == (str(Path("/mnt/x")), "No space left on device")
    reported = disk_error(OSError(errno.ENOSPC, "No space left on device"))  # of an open file
    assert reported is not None
    assert str(reported).startswith("No space left on device\n  Make room")
    assert disk_error(OSError(errno.EPERM, "Operation not permitted")) is None
