# SPDX-License-Identifier: Apache-2.0
"""Who may ask the studio, tried one by one; and that no name leads out of its folder."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from codegen.common.errors import UserError
from workbench.data import query
from workbench.studio.folder import open_folder
from workbench.studio.guard import Guard
from workbench.studio.labels import Labels

TOKEN, PORT = "secret-token", 8300
OWN = "127.0.0.1:8300"
ORIGIN = f"http://{OWN}"
Message = MutableMapping[str, Any]


def asked(
    path: str, headers: list[tuple[str, str]], *, kind: str = "http", method: str = "GET"
) -> tuple[MutableMapping[str, Any] | None, list[Message]]:
    """What the application behind the guard sees of a request (None: nothing), and what comes back."""
    seen: list[MutableMapping[str, Any]] = []
    answers: list[Message] = []

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"access-control-allow-origin", b"*"), (b"content-type", b"text/plain")],
            }
        )

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        answers.append(message)

    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    asyncio.run(Guard(behind, TOKEN, PORT)(scope, receive, send))
    return (seen[0] if seen else None), answers


@pytest.mark.parametrize("host", [OWN, "localhost:8300", "LOCALHOST:8300"])
def test_the_own_page_is_let_in(host: str) -> None:
    for method, origin in (("GET", []), ("POST", [("Origin", f"http://{host}")])):
        seen, _ = asked(f"/{TOKEN}/label", [("Host", host), *origin], method=method)
        assert seen is not None
    seen, _ = asked(f"/{TOKEN}/ws", [("Host", host), ("Origin", f"http://{host}")], kind="websocket")
    assert seen is not None


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", [("Host", OWN), ("Origin", ORIGIN)]),
        ("/label", [("Host", OWN), ("Origin", ORIGIN)]),
        ("/secret-toke/label", [("Host", OWN), ("Origin", ORIGIN)]),
        ("/secret-token2/label", [("Host", OWN), ("Origin", ORIGIN)]),
        (f"//{TOKEN}/label", [("Host", OWN), ("Origin", ORIGIN)]),
        ("/ümlaut/label", [("Host", OWN), ("Origin", ORIGIN)]),
        (f"/{TOKEN}/label", [("Origin", ORIGIN)]),
        (f"/{TOKEN}/label", [("Host", "evil.example:8300"), ("Origin", "http://evil.example:8300")]),
        (f"/{TOKEN}/label", [("Host", "127.0.0.1"), ("Origin", "http://127.0.0.1")]),
        (f"/{TOKEN}/label", [("Host", "127.0.0.1:8301"), ("Origin", "http://127.0.0.1:8301")]),
        (f"/{TOKEN}/label", [("Host", OWN), ("Host", "evil.example"), ("Origin", ORIGIN)]),
        (f"/{TOKEN}/label", [("Host", OWN), ("Origin", "http://evil.example")]),
        (f"/{TOKEN}/label", [("Host", OWN), ("Origin", "https://127.0.0.1:8300")]),
        (f"/{TOKEN}/label", [("Host", OWN), ("Origin", "http://127.0.0.1:8301")]),
        (f"/{TOKEN}/label", [("Host", OWN), ("Origin", "null")]),
        (f"/{TOKEN}/label", [("Host", OWN), ("Origin", ORIGIN), ("Origin", "http://evil.example")]),
    ],
)
def test_all_others_are_refused(kind: str, path: str, headers: list[tuple[str, str]]) -> None:
    seen, answers = asked(path, headers, kind=kind)
    assert seen is None
    if kind == "websocket":
        assert answers == [{"type": "websocket.close", "code": 1008}]
    else:
        assert answers[0]["status"] == 403


def test_a_socket_or_a_post_without_an_origin_is_refused() -> None:
    for kind, method in (("websocket", "GET"), ("http", "POST"), ("http", "DELETE")):
        seen, _ = asked(f"/{TOKEN}/label", [("Host", OWN)], kind=kind, method=method)
        assert seen is None


def test_the_browser_is_told_to_reach_nothing_else() -> None:
    seen, answers = asked(
        f"/{TOKEN}/label", [("Host", OWN), ("X-Forwarded-Prefix", "/evil"), ("Accept", "*/*")]
    )
    assert seen is not None
    assert [name for name, _ in seen["headers"]] == [b"Host", b"Accept"]
    headers = dict(answers[0]["headers"])
    assert b"access-control-allow-origin" not in headers
    policy = dict(part.split(" ", 1) for part in headers[b"content-security-policy"].decode().split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://127.0.0.1:8300 ws://localhost:8300"
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
    for values in policy.values():
        for value in values.split():
            assert value.startswith(("'", "data:", "blob:", "ws://127.0.0.1:", "ws://localhost:"))
    assert headers[b"referrer-policy"] == b"no-referrer"


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """A folder with recordings, beside one that is not to be read."""
    folder = tmp_path / "inside"
    (folder / "deep").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (tmp_path / "outside").mkdir()
    for name in (
        "inside/a.wav",
        "inside/deep/b.FLAC",
        "inside/.hidden/c.wav",
        "outside/d.wav",
        "inside/e.txt",
    ):
        (tmp_path / name).write_bytes(b"sound")
    (folder / "link.wav").symlink_to(tmp_path / "outside" / "d.wav")
    (folder / "linked").symlink_to(tmp_path / "outside")
    (folder / "loop.wav").symlink_to("loop.wav")
    return folder


def test_recordings_are_those_inside(inside: Path) -> None:
    folder = open_folder(inside)
    assert folder.recordings() == ["a.wav", "deep/b.FLAC"]
    assert folder.recording("deep/b.FLAC") == inside / "deep" / "b.FLAC"


@pytest.mark.parametrize(
    "name",
    [
        "../outside/d.wav",
        "deep/../../outside/d.wav",
        "link.wav",
        "linked/d.wav",
        "loop.wav",
        "e.txt",
        "",
        ".",
        "a.wav\0.wav",
        "x" * 5000 + ".wav",
        "/etc/passwd",
        "/etc/passwd.wav",
        "no.wav",
    ],
)
def test_no_other_name_is_read(inside: Path, name: str) -> None:
    with pytest.raises(UserError):
        open_folder(inside).recording(name)
    with pytest.raises(UserError):
        open_folder(inside).recording(str(inside.parent / "outside" / "d.wav"))


@pytest.mark.parametrize("name", ["labels.csv", "captures.csv", "queries.toml"])
def test_a_file_that_is_a_link_outside_is_not_written(inside: Path, name: str) -> None:
    (inside / name).symlink_to(inside.parent / "outside" / name)
    with pytest.raises(UserError, match="is a link to"):
        open_folder(inside)


def test_a_link_to_a_label_file_inside_stays_one(inside: Path) -> None:
    for name, target in (("labels.csv", "deep/l.csv"), ("queries.toml", "deep/q.toml")):
        (inside / target).touch()
        (inside / name).symlink_to(target)
    labels = Labels(open_folder(inside))
    labels.add(inside / "a.wav", 0, 100, "knock")
    query.save(inside / "labels.csv", "knocks", [query.condition("label=knock")])
    assert (inside / "labels.csv").is_symlink()
    assert (inside / "queries.toml").is_symlink()
    assert (inside / "deep" / "l.csv").read_text() == "file,start,end,label\na.wav,0,100,knock\n"
    assert "[knocks]" in (inside / "deep" / "q.toml").read_text()


def test_what_is_no_folder_is_refused(inside: Path) -> None:
    for path, words in ((inside / "gone", "no such folder"), (inside / "a.wav", "no folder")):
        with pytest.raises(UserError, match=words):
            open_folder(path)
    assert open_folder(inside / "monday.csv").table == inside / "monday.csv"
