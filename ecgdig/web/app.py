"""The server: pages uploaded, read by workers, shown, corrected, taken home."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ecgdig import __version__
from ecgdig.corrections import EditError
from ecgdig.degrade import DEGRADATIONS, PRESETS
from ecgdig.hub import DEFAULT
from ecgdig.io import safe_name
from ecgdig.units import GAINS_MM_PER_MV, LEADS, PAPER_SPEEDS_MM_PER_S
from ecgdig.web import asked, downloads
from ecgdig.web.dispatcher import Dispatcher, Job, QueueFullError
from ecgdig.web.guard import LOOPBACK, Guard, RefusedError, announced_bytes, body_to_file, small_json
from ecgdig.web.limits import MB, Limits
from ecgdig.web.samples import GALLERY
from ecgdig.web.samples import LAYOUTS as DRAWN_LAYOUTS
from ecgdig.web.sessions import FullError, PageHeld, Session, Sessions
from ecgdig.web.tasks import PACKED, PICTURE, RECORDING, SAMPLES, UPLOAD, VIEW
from ecgdig.web.worker import Worker

STATIC = Path(__file__).parent / "static"
COOKIE = "ecgdig_session"  # and the port: browsers give a host's cookies to every port of it
_SWEEP_S = 60.0
_MOST_RECORDING_MB = 50

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Settings:
    """How the server runs.

    Attributes:
        token: what the first request must bring; None on loopback.
        hosts: names it answers to; None: any (with a token only).
        workers: processes that read.
    """

    token: str | None = None
    hosts: tuple[str, ...] | None = LOOPBACK
    workers: int = 1
    checkpoint: str = DEFAULT
    runtime: str = "auto"
    limits: Limits = field(default_factory=Limits)


class Server:
    """The endpoints and what they share."""

    def __init__(self, settings: Settings) -> None:
        if settings.token is None and settings.hosts is None:
            raise ValueError("a server without a token answers on loopback names only")
        self.settings = settings
        self.sessions = Sessions(settings.limits)
        self.queue = Dispatcher(
            settings.workers,
            settings.limits,
            lambda: Worker(settings.checkpoint, settings.runtime, settings.limits.memory_mb),
        )
        self._thumbnails: dict[int, Job] = {}

    def app(self) -> Starlette:
        """The ASGI application."""
        guarded = [
            ("/api/about", self.about, ["GET"]),
            ("/api/pages", self.pages, ["GET"]),
            ("/api/pages", self.upload, ["POST"]),
            ("/api/pages/{page}", self.page, ["GET"]),
            ("/api/pages/{page}", self.remove, ["DELETE"]),
            ("/api/pages/{page}/picture", self.picture, ["GET"]),
            ("/api/pages/{page}/samples", self.samples, ["GET"]),
            ("/api/pages/{page}/edits", self.edit, ["PUT"]),
            ("/api/pages/{page}/preview", self.preview, ["POST"]),
            ("/api/pages/{page}/again", self.again, ["POST"]),
            ("/api/download", self.download, ["GET"]),
            ("/api/gallery/{number:int}", self.thumbnail, ["GET"]),
            ("/api/gallery/{number:int}", self.from_gallery, ["POST"]),
            ("/api/recording", self.recording, ["POST"]),
            ("/api/draw", self.draw, ["POST"]),
            ("/api/session", self.leave, ["DELETE"]),
        ]
        routes: list[Any] = [Route("/", self.index), Route("/healthz", self.health)]
        routes += [Route(path, self._guarded(do), methods=methods) for path, do, methods in guarded]
        routes.append(Mount("/static", StaticFiles(directory=STATIC)))
        return Starlette(
            routes=routes,
            middleware=[Middleware(Guard, hosts=self.settings.hosts)],
            exception_handlers={404: _not_found, 405: _not_found},
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        self.queue.open()
        sweep = asyncio.create_task(self._sweep())
        try:
            yield
        finally:
            sweep.cancel()
            await self.queue.close()
            self.sessions.close()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            for session in self.sessions.forget_idle():
                self.queue.cancel_all(session.id)
            self.sessions.sweep()

    def _guarded(self, do: Callable[[Request, Session], Awaitable[Response]]) -> Endpoint:
        """The endpoint for those who have a session; whatever it refuses is a status and a sentence."""

        async def endpoint(request: Request) -> Response:
            session = self.sessions.find(request.cookies.get(_cookie(request)))
            if session is None:
                return _refused(401, "no session: open the start page again")
            try:
                return await do(request, session)
            except RefusedError as error:
                return _refused(error.status, str(error))
            except (FullError, QueueFullError) as error:
                return _refused(429, str(error))
            except (EditError, ValueError) as error:
                return _refused(422, " ".join(str(error).split())[:500])
            except FileNotFoundError:
                return _refused(409, "this was removed, or read anew, meanwhile; look at it again")
            except ClientDisconnect:
                return _refused(400, "the request broke off")
            finally:
                self.sessions.find(session.id)  # whoever waited for a long answer was not idle

        return endpoint

    async def index(self, request: Request) -> Response:
        """The page; it begins a session where there is none."""
        if self.sessions.find(request.cookies.get(_cookie(request))) is None:
            given, token = request.query_params.get("token", ""), self.settings.token
            if token is not None and not secrets.compare_digest(given.encode(), token.encode()):
                return PlainTextResponse("Open the address that `ecgdig serve` printed; it holds the token.\n", 401)
            try:
                session = self.sessions.new()
            except FullError as error:
                return PlainTextResponse(f"{error}\n", 503)
            answer: Response = RedirectResponse("/", 303) if given else FileResponse(STATIC / "index.html")
            answer.set_cookie(
                _cookie(request), session.id, httponly=True, samesite="strict", secure=request.url.scheme == "https"
            )
            return answer
        return RedirectResponse("/", 303) if request.query_params else FileResponse(STATIC / "index.html")

    async def health(self, request: Request) -> Response:
        """Whether a worker is ready."""
        return JSONResponse({"workers": self.queue.alive}, 200 if self.queue.alive else 503)

    async def about(self, request: Request, session: Session) -> Response:
        return JSONResponse(
            {
                "version": __version__,
                "checkpoint": self.settings.checkpoint,
                "formats": downloads.offered(),
                "layouts": asked.LAYOUTS,
                "speeds": PAPER_SPEEDS_MM_PER_S,
                "gains": GAINS_MM_PER_MV,
                "leads": LEADS,
                "gallery": [sample.title for sample in GALLERY],
                "drawn": {"presets": list(PRESETS), "layouts": DRAWN_LAYOUTS, "degradations": list(DEGRADATIONS)},
                "limits": asdict(session.limits),
            }
        )

    async def upload(self, request: Request, session: Session) -> Response:
        """A file, the body as it is; each of its pages becomes a page."""
        limits = session.limits
        announced = announced_bytes(request)
        pages = [session.add(request.query_params.get("name", ""))]
        try:
            with session.room_for(min(announced or limits.upload_mb * MB, limits.upload_mb * MB)):
                await body_to_file(request, pages[0].folder / UPLOAD, limits.upload_mb, limits.upload_s)
            what = {"kind": "count", "file": str(pages[0].folder / UPLOAD)}
            counted = await self._done(request, Job(session.id, what))
            self._split(session, pages, int(counted.result["pages"]))
            for page in pages:
                await self._read(session, page, {})
        except BaseException:
            for page in pages:
                self.queue.cancel_all(session.id, page.place)
                session.remove(page)
            raise
        return JSONResponse({"pages": [self._told(page) for page in pages]}, 201)

    def _split(self, session: Session, pages: list[PageHeld], n: int) -> None:
        """Add the other pages of a file that has `n`."""
        first = pages[0]
        label, file_name = first.name, first.file_name
        for number in range(2, n + 1):
            pages.append(session.add(f"{label}, page {number}"))
            pages[-1].number, pages[-1].upload = number, first.folder
        if n > 1:
            first.name = f"{label}, page 1"
            for page in pages:
                page.file_name = f"{file_name}_p{page.number}"

    async def _read(self, session: Session, page: PageHeld, options: Mapping[str, Any]) -> None:
        """Have a page read; what was read of it before stays until then, its edits go on where they fit."""
        into = session.new_folder()
        what = {
            "kind": "read",
            "file": str((page.upload or page.folder) / UPLOAD),
            "page": page.number,
            "into": str(into),
            "options": dict(options),
            "session": str(session.folder),
            "most_bytes": session.limits.session_mb * MB,
        }
        if page.shown is not None:
            what |= {"before": str(page.shown), "edits": page.edits}

        def settle(job: Job) -> None:
            if job.state != "done":
                _clear(into)
                return
            page.takes_over(into, into)
            page.edits, page.dropped = job.result["edits"], job.result["dropped"]

        page.job = await self.queue.submit(Job(session.id, what, page.place, then=settle))

    async def _done(self, request: Request, job: Job) -> Job:
        """A job done while its visitor waits: it is cancelled when the connection ends.

        Raises:
            RefusedError: it failed or was cancelled.
        """
        working = asyncio.create_task(self.queue.done(job))
        leaving = asyncio.create_task(_gone(request))
        try:
            await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            if not working.done():
                working.cancel()
                self.queue.cancel(job)
        if working.done():
            await working  # may raise
        if job.state != "done":
            raise RefusedError(job.fault or 409, job.error or "cancelled")
        return job

    async def pages(self, request: Request, session: Session) -> Response:
        """All pages of the session, with how far their reading is."""
        return JSONResponse({"pages": [self._told(page) for page in session.pages.values()]})

    def _told(self, page: PageHeld) -> dict[str, Any]:
        job = page.job
        told = {"id": page.id, "name": page.name, "edits": len(page.edits), "read": page.shown is not None}
        if job is None:
            return {**told, "state": "waiting", "stage": "", "error": "", "ahead": 0}
        return {**told, "state": job.state, "stage": job.stage, "error": job.error, "ahead": self.queue.ahead_of(job)}

    async def page(self, request: Request, session: Session) -> Response:
        """The reading, for the screen."""
        return self._view(asked.found(request, session))

    def _view(self, page: PageHeld) -> Response:
        whole = json.loads((asked.shown(page) / VIEW).read_bytes())
        return JSONResponse({**whole, "dropped": page.dropped})

    async def picture(self, request: Request, session: Session) -> Response:
        page = asked.found(request, session)
        asked.shown(page)
        assert page.reading is not None
        return Response((page.reading / PICTURE).read_bytes(), media_type="image/jpeg")

    async def samples(self, request: Request, session: Session) -> Response:
        data = (asked.shown(asked.found(request, session)) / SAMPLES).read_bytes()
        return Response(data, media_type="application/octet-stream")

    async def edit(self, request: Request, session: Session) -> Response:
        """The reading with a whole list of edits; the answer is the new reading."""
        page = asked.found(request, session)
        asked.shown(page)
        value = asked.edits(await small_json(request))
        reading, into = page.reading, session.new_folder()
        assert reading is not None

        def settle(job: Job) -> None:
            if job.state != "done" or page.reading != reading:  # read anew meanwhile
                _clear(into)
                return
            page.takes_over(reading, into)
            page.edits, page.dropped = value, []

        what = {"kind": "edit", "reading": str(reading), "into": str(into), "edits": value}
        await self._done(request, Job(session.id, what, page.place, then=settle))
        if page.reading != reading:
            raise RefusedError(409, "this page was read anew meanwhile; look at it again")
        return self._view(page)

    async def preview(self, request: Request, session: Session) -> Response:
        """What can be shown at once of a whole list of edits: `view` and, in base64, `samples`; nothing changes."""
        page = asked.found(request, session)
        asked.shown(page)
        value, into = asked.edits(await small_json(request)), session.new_folder()
        try:
            what = {"kind": "preview", "reading": str(page.reading), "into": str(into), "edits": value}
            await self._done(request, Job(session.id, what, page.place))
            view, samples = json.loads((into / VIEW).read_bytes()), b64encode((into / SAMPLES).read_bytes())
        finally:
            _clear(into)
        return JSONResponse({"view": {**view, "dropped": page.dropped}, "samples": samples.decode()})

    async def again(self, request: Request, session: Session) -> Response:
        """Read a page anew with what the user knows; corrections that do not fit the new reading are named in it."""
        page = asked.found(request, session)
        options = asked.options(await small_json(request))
        self.queue.cancel_all(session.id, page.place)
        await self._read(session, page, options)
        return JSONResponse(self._told(page), 202)

    async def remove(self, request: Request, session: Session) -> Response:
        """Forget a page; its reading is stopped if it is under way."""
        page = asked.found(request, session)
        self.queue.cancel_all(session.id, page.place)
        session.remove(page)
        return JSONResponse({})

    async def download(self, request: Request, session: Session) -> Response:
        """A zip of the pages asked for (`pages=a,b`, default all), in `formats=wfdb,csv`; `redact=0` leaves words."""
        query = request.query_params
        formats = downloads.checked(query.get("formats", "wfdb").split(","))
        pages = asked.wanted(session, query.get("pages"))
        redact = query.get("redact", "1") != "0"
        folder = session.new_folder()
        taken: set[str] = set()
        try:
            for page in pages:  # a job each: others have their turn between them
                what = {
                    "kind": "export",
                    "reading": str(page.reading),
                    "shown": str(page.shown),
                    "into": str(folder),
                    "name": asked.free_name(safe_name(page.file_name)[:60], taken),
                    "formats": formats,
                    "redact": redact,
                }
                await self._done(request, Job(session.id, what, page.place))
            await self._done(request, Job(session.id, {"kind": "pack", "folder": str(folder)}))
        except BaseException:
            _clear(folder)
            raise
        name = safe_name(pages[0].file_name)[:60] if len(pages) == 1 else "readings"
        return FileResponse(
            folder / PACKED,
            media_type="application/zip",
            filename=f"{name}.zip",
            background=BackgroundTask(_clear, folder),
        )

    async def thumbnail(self, request: Request, session: Session) -> Response:
        number = asked.sample_number(request)
        target = self.sessions.folder / f"thumbnail-{number}.jpg"
        if number not in self._thumbnails or self._thumbnails[number].state in ("failed", "cancelled"):
            what = {"kind": "thumbnail", "target": str(target), "number": number}
            self._thumbnails[number] = await self.queue.submit(Job("gallery", what))
        job = self._thumbnails[number]
        await job.ended.wait()
        if job.state != "done":
            raise RefusedError(500, job.error or "no picture")
        return FileResponse(target, media_type="image/jpeg")

    async def from_gallery(self, request: Request, session: Session) -> Response:
        """A page of the gallery, read as if it had been uploaded."""
        number = asked.sample_number(request)
        return await self._made(request, session, GALLERY[number].title, {"kind": "sample", "number": number})

    async def recording(self, request: Request, session: Session) -> Response:
        """A recording to draw pages of, in any format of one file; an empty name forgets it."""
        file = session.folder / RECORDING
        if not request.query_params.get("name"):
            file.unlink(missing_ok=True)
            return JSONResponse({})
        most_mb = min(session.limits.upload_mb, _MOST_RECORDING_MB)
        with session.room_for(most_mb * MB):
            await body_to_file(request, file, most_mb, session.limits.upload_s)
        return JSONResponse({})

    async def draw(self, request: Request, session: Session) -> Response:
        """A page as wished: its picture, or with `read=1` a page of the session."""
        wish = await small_json(request)
        if request.query_params.get("read"):
            return await self._made(request, session, "drawn page", {"kind": "draw", "wish": wish})
        folder = session.new_folder()
        try:
            _lend_recording(session, folder)
            await self._done(request, Job(session.id, {"kind": "draw", "folder": str(folder), "wish": wish}))
            return Response((folder / PICTURE).read_bytes(), media_type="image/jpeg")
        finally:
            _clear(folder)

    async def _made(self, request: Request, session: Session, name: str, what: Mapping[str, Any]) -> Response:
        page = session.add(name)
        try:
            _lend_recording(session, page.folder)
            await self._done(request, Job(session.id, {**what, "folder": str(page.folder)}))
            await self._read(session, page, {})
        except BaseException:
            session.remove(page)
            raise
        return JSONResponse({"pages": [self._told(page)]}, 201)

    async def leave(self, request: Request, session: Session) -> Response:
        """End the session: everything that it holds is deleted now."""
        self.queue.cancel_all(session.id)
        self.sessions.end(session)
        answer = JSONResponse({})
        answer.delete_cookie(_cookie(request))
        return answer


def default_workers(memory_mb: int) -> int:
    """One process a core, as far as there is memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6
    return max(1, min(len(os.sched_getaffinity(0)), int(memory / memory_mb), 8))


def _cookie(request: Request) -> str:
    return f"{COOKIE}_{request.scope['server'][1]}"


async def _gone(request: Request) -> None:
    """Waits until the visitor's connection ends."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _lend_recording(session: Session, folder: Path) -> None:
    file = session.folder / RECORDING
    if file.is_file():
        os.link(file, folder / RECORDING)


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _refused(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)


async def _not_found(request: Request, error: Exception) -> Response:
    status = int(getattr(error, "status_code", 404))
    return _refused(status, "there is nothing of that name here" if status == 404 else "not to be used in that way")
