"""Visitors of a server of the web page, and the server itself in a thread, for tests."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

uvicorn = pytest.importorskip("uvicorn", reason="the web page is an extra: pip install 'ecgdig[web]'")


@dataclass
class Client:
    """A visitor: requests with its cookie to a server on loopback."""

    port: int
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"x-ecgdig": "1"})

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        sent = {**self.headers, **({"Cookie": self.cookie} if self.cookie else {}), **headers}
        try:
            connection.request(method, path, data, {k: v for k, v in sent.items() if v})
            answer = connection.getresponse()
            return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()

    def json(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        status, data, _ = self.ask(method, path, body, **headers)
        assert status < 400, data
        return json.loads(data)

    def enter(self, path: str = "/") -> int:
        status, _, headers = self.ask("GET", path)
        self.cookie = headers.get("set-cookie", "").partition(";")[0]
        return status

    def read(self, page: str) -> dict[str, Any]:
        """Wait until a page has been read."""
        for _ in range(300):
            told = next(p for p in self.json("GET", "/api/pages")["pages"] if p["id"] == page)
            if told["state"] not in ("waiting", "running"):
                return told
            time.sleep(0.1)
        raise TimeoutError(page)


@dataclass
class Running:
    """A server that runs in a thread."""

    server: Any
    port: int

    def client(self) -> Client:
        client = Client(self.port)
        client.enter()
        return client


def running(settings: Any, **how: Any) -> Iterator[Running]:
    """A server; `how` it listens is said to uvicorn."""
    from ecgdig.commands.serve import _listener
    from ecgdig.web.app import Server
    from ecgdig.web.connection import TimedConnection

    listener = _listener("127.0.0.1", 0)
    server = Server(settings)
    runner = uvicorn.Server(uvicorn.Config(server.app(), **{"http": TimedConnection, "log_level": "warning", **how}))
    thread = threading.Thread(target=runner.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield Running(server, listener.getsockname()[1])
    finally:
        runner.should_exit = True
        thread.join(20)
        assert not server.sessions.folder.exists()  # nothing is kept
