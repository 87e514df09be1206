"""What every request must pass (host name, origin, size of its body), and the headers that every answer carries."""

from __future__ import annotations

import asyncio
import errno
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ecgdig.web.limits import MB

LOOPBACK = ("localhost", "127.0.0.1", "::1")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
}
GAP_S = 20.0  # between parts of a body; after a longer one it is given up
OWN_HEADER = "x-ecgdig"  # a page of another site cannot send it without being asked first


class RefusedError(Exception):
    """A request that is answered with `status` and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Guard:
    """ASGI middleware: checks host and origin, adds the security headers, keeps the API out of caches."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...] | None) -> None:
        self._app = app
        self._hosts = hosts  # None: any, where a token guards the session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if not scope["path"].startswith("/static"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        refused = self._refusal(scope)
        if refused is not None:
            await JSONResponse({"error": str(refused)}, refused.status)(scope, receive, with_headers)
        else:
            await self._app(scope, receive, with_headers)

    def _refusal(self, scope: Scope) -> RefusedError | None:
        headers = Headers(scope=scope)
        name = _host(f"//{headers.get('host', '')}")
        if self._hosts is not None and name not in self._hosts:
            return RefusedError(400, "this server answers on this machine only, as localhost")
        if scope["method"] not in ("GET", "HEAD"):
            if headers.get(OWN_HEADER) is None:
                return RefusedError(403, f"requests that change something must carry the header {OWN_HEADER}")
            origin = headers.get("origin")
            if origin is not None and origin.partition("://")[2] != headers.get("host"):
                return RefusedError(403, "a request from a page of another site")
        return None


def _host(address: str) -> str:
    """The name in an address, without its port; empty where it is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


async def body_to_file(request: Request, path: Path, most_mb: int, most_s: float) -> int:
    """Write a request's body to a file as it comes, whole or not at all; returns its bytes.

    Raises:
        RefusedError: it is a form, empty, too large, too slow, or there is no room for it.
        ClientDisconnect: it broke off.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith(("multipart/", "application/x-www-form")):
        raise RefusedError(415, "send the file itself as the body, not a form")
    announced = announced_bytes(request)
    if announced is not None and announced > most_mb * MB:
        raise RefusedError(413, f"a file of {announced / MB:.0f} MB; give one of {most_mb} MB at most")
    size, coming = 0, path.with_name(f"{path.name}.{secrets.token_hex(4)}.coming")
    try:
        async with asyncio.timeout(most_s):
            with coming.open("xb") as file:
                async for part in _parts(request):
                    size += len(part)
                    if size > most_mb * MB:
                        raise RefusedError(413, f"the file is too large; give one of {most_mb} MB at most")
                    file.write(part)
        if size == 0:
            raise RefusedError(400, "an empty file; give a picture or a PDF")
        coming.replace(path)
    except TimeoutError:
        said = f"the upload took more than {most_s:g} s, or stood still for {GAP_S:g} s; try again, or a smaller file"
        raise RefusedError(408, said) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise RefusedError(507, "no room is left on the server's disk; tell whoever runs it") from None
    finally:
        coming.unlink(missing_ok=True)
    return size


async def _parts(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes.

    Raises:
        TimeoutError: nothing came for `GAP_S`.
    """
    parts = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(GAP_S):
                part = await anext(parts)
        except StopAsyncIteration:
            return
        yield part


def announced_bytes(request: Request) -> int | None:
    """Bytes that a request says it has; None where it does not say so."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else None


async def small_json(request: Request, most_bytes: int = 1_000_000, most_s: float = 30.0) -> dict[str, object]:
    """The body as a JSON object; whole numbers of more digits than any edit has become floats.

    Raises:
        RefusedError: too large, too slow, not JSON, or not an object.
    """
    data = b""
    try:
        async with asyncio.timeout(most_s):
            async for part in _parts(request):
                data += part
                if len(data) > most_bytes:
                    raise RefusedError(413, f"a request of more than {most_bytes:,} bytes")
    except TimeoutError:
        raise RefusedError(408, f"the request took more than {most_s:g} s") from None
    try:
        value = json.loads(data or b"{}", parse_int=lambda text: int(text) if len(text) < 16 else float(text))
    except (ValueError, RecursionError):
        raise RefusedError(400, "not JSON") from None
    if not isinstance(value, dict):
        raise RefusedError(400, "want a JSON object")
    return value
