"""Visitors who keep the server waiting are cut off, while others are served; over real sockets."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator

import pytest
from web_visitor import Running, running

from ecgdig.web import guard
from ecgdig.web.app import Settings
from ecgdig.web.connection import TimedConnection
from ecgdig.web.limits import Limits

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Impatient(TimedConnection):
    head_s = 0.6
    stall_s = 0.6


@pytest.fixture(scope="module")
def waiting() -> Iterator[Running]:
    yield from running(Settings(workers=0, limits=Limits(upload_mb=50)), http=Impatient, timeout_keep_alive=1)


def seconds_until_cut(server: Running, first: bytes, then: bytes = b"", every_s: float = 0.1) -> float:
    """How long a connection lasts on which bytes come one at a time, and others are served meanwhile."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as pipe:
        pipe.sendall(first)
        began, i = time.monotonic(), 0
        pipe.settimeout(every_s)
        while time.monotonic() - began < 10:
            try:
                if then:
                    pipe.sendall(then[i % len(then) :][:1])
                    i += 1
                if pipe.recv(65536) == b"":
                    break
            except TimeoutError:
                assert server.client().ask("GET", "/healthz")[0] in (200, 503)
            except OSError:
                break
        return time.monotonic() - began


@pytest.mark.parametrize(
    "first, then",
    [
        (b"", b""),
        (b"G", b""),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"x-a: 1\r\n"),
        (HEAD + b"GET / HTT", b""),
        (b"POST /api/pages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n", b"x"),
    ],
    ids=["nothing", "a byte", "endless headers", "second request", "a body that was refused"],
)
def test_who_sends_slowly_is_cut_off_and_others_are_served(waiting: Running, first: bytes, then: bytes) -> None:
    assert 0.4 < seconds_until_cut(waiting, first, then) < 3


def test_many_slow_visitors_at_once_keep_nobody_out(waiting: Running) -> None:
    pipes = [socket.create_connection(("127.0.0.1", waiting.port), timeout=10) for _ in range(100)]
    try:
        for pipe in pipes:
            pipe.sendall(b"GET / HTTP/1.1\r\n")
        assert waiting.client().ask("GET", "/")[0] == 200
        ends = [pipe.recv(100) for pipe in pipes]
    except ConnectionResetError:
        ends = [b""]
    finally:
        for pipe in pipes:
            pipe.close()
    assert set(ends) == {b""}


def test_an_upload_that_stands_still_is_given_up(waiting: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "GAP_S", 0.5)
    visitor = waiting.client()
    with socket.create_connection(("127.0.0.1", waiting.port), timeout=10) as pipe:
        pipe.sendall(
            b"POST /api/pages HTTP/1.1\r\nHost: localhost\r\nx-ecgdig: 1\r\nContent-Length: 1000\r\n"
            b"Cookie: %s\r\n\r\nabc" % visitor.cookie.encode()
        )
        said = pipe.recv(65536)
        assert said.startswith(b"HTTP/1.1 408")
        assert visitor.json("GET", "/api/pages")["pages"] == []


def test_an_answer_that_nobody_takes_is_given_up(waiting: Running) -> None:
    with socket.create_connection(("127.0.0.1", waiting.port), timeout=10) as pipe:
        pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        def ask_on() -> None:
            for _ in range(200):
                pipe.sendall(b"GET /static/vendor/leaflet.js HTTP/1.1\r\nHost: localhost\r\n\r\n")
                time.sleep(0.02)

        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            ask_on()


def test_a_connection_in_use_lasts(waiting: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", waiting.port, timeout=10)
    connection.connect()
    first = connection.sock
    for _ in range(8):
        connection.request("GET", "/healthz")
        assert json.loads(connection.getresponse().read()) == {"workers": 0}
        time.sleep(0.2)
    assert connection.sock is first
    connection.close()
