from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the web page is an extra: pip install 'ecgdig[web]'")

from starlette.requests import ClientDisconnect, Request

from ecgdig.web.guard import Guard, RefusedError, body_to_file, small_json

PARTS = 1 << 16


def request(parts: list[bytes] | None = None, ends: bool = True, **headers: str) -> Request:
    """A request whose body comes in parts, and then ends or breaks off."""
    waiting = list(parts or [])

    async def receive() -> dict[str, Any]:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting) or not ends}
        return {"type": "http.disconnect"}

    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": sent}, receive)


def written(tmp_path: Path, asked: Request, most_mb: int = 1) -> int:
    return asyncio.run(body_to_file(asked, tmp_path / "upload", most_mb, 5))


def test_a_body_is_written_whole(tmp_path: Path) -> None:
    assert written(tmp_path, request([b"ab", b"c"])) == 3
    assert [(f.name, f.read_bytes()) for f in tmp_path.iterdir()] == [("upload", b"abc")]


@pytest.mark.parametrize(
    "asked, error",
    [
        (request([bytes(PARTS)] * 40), RefusedError),
        (request([b"ab", b"c"], ends=False), ClientDisconnect),
        (request([b""]), RefusedError),
        (request([b"a"], content_type="multipart/form-data"), RefusedError),
    ],
    ids=["too large", "broken off", "empty", "form"],
)
def test_of_a_refused_body_nothing_is_left_and_what_was_there_stays(
    tmp_path: Path, asked: Request, error: type[Exception]
) -> None:
    (tmp_path / "upload").write_bytes(b"before")
    with pytest.raises(error):
        written(tmp_path, asked)
    assert [(f.name, f.read_bytes()) for f in tmp_path.iterdir()] == [("upload", b"before")]


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(RefusedError, match="no room is left") as refused:
        written(tmp_path, request([b"a"]))
    assert refused.value.status == 507
    assert list(tmp_path.iterdir()) == []


def test_numbers_beyond_any_float_become_infinite() -> None:
    value = asyncio.run(small_json(request([b'{"a": %s, "b": 7}' % (b"9" * 400)])))
    assert value == {"a": float("inf"), "b": 7}


@pytest.mark.parametrize(
    "method, headers, status",
    [
        ("GET", {"host": "localhost:80"}, 200),
        ("GET", {"host": "["}, 400),
        ("GET", {"host": "rebound.example"}, 400),
        ("GET", {}, 400),
        ("POST", {"host": "localhost:80"}, 403),
        ("POST", {"host": "localhost:80", "x-ecgdig": "1"}, 200),
        ("POST", {"host": "localhost:80", "x-ecgdig": "1", "origin": "http://localhost:80"}, 200),
        ("POST", {"host": "localhost:80", "x-ecgdig": "1", "origin": "http://["}, 403),
        ("POST", {"host": "localhost:80", "x-ecgdig": "1", "origin": "null"}, 403),
    ],
)
def test_hosts_and_origins(method: str, headers: dict[str, str], status: int) -> None:
    said: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        said.append(message)

    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": "/", "headers": sent}
    asyncio.run(Guard(app, ("localhost",))(scope, request()._receive, send))
    assert said[0]["status"] == status
    assert b"x-frame-options" in dict(said[0]["headers"])
