from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import pytest
from PIL import Image

from ecgdig.drawing import render
from ecgdig.page import PLAIN, Page
from ecgdig.recording import Recording

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


def running(settings: Any) -> Iterator[Running]:
    from ecgdig.commands.serve import _listener
    from ecgdig.web.app import Server

    listener = _listener("127.0.0.1", 0)
    server = Server(settings)
    runner = uvicorn.Server(uvicorn.Config(server.app(), log_level="warning", lifespan="on"))
    thread = threading.Thread(target=runner.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield Running(server, listener.getsockname()[1])
    finally:
        runner.should_exit = True
        thread.join(20)
        assert not server.sessions.folder.exists()  # nothing is kept


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """A server with the released checkpoint and one worker."""
    from ecgdig.web.app import Settings
    from ecgdig.web.limits import Limits

    yield from running(Settings(limits=Limits(upload_mb=20, pages=12)))


@pytest.fixture(scope="session")
def drawn(recording: Recording) -> Page:
    """A small clean page with a header."""
    return render(recording, "clean", 7, layout="3x4", paper="a5", dpi=120, style=PLAIN)


@pytest.fixture(scope="session")
def photo(drawn: Page, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as JPEG with EXIF that says where and by what it was taken."""
    file = tmp_path_factory.mktemp("web") / "ward 3 <b>.jpg"
    exif = Image.Exif()
    exif[0x010F], exif[0x9286] = "SECRETCAM", "SECRETNAME"
    picture = Image.fromarray(cv2.cvtColor(drawn.image, cv2.COLOR_RGB2BGR)[..., ::-1])
    picture.save(file, quality=95, exif=exif)
    return file
