"""The server: pages uploaded, read by workers, shown, corrected, taken home."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
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
from ecgdig.api import check_scale
from ecgdig.corrections import EditError, edits_of
from ecgdig.degrade import DEGRADATIONS, PRESETS
from ecgdig.hub import DEFAULT
from ecgdig.io import safe_name
from ecgdig.locate.naming import parse_leads
from ecgdig.locate.plans import KNOWN_LAYOUTS
from ecgdig.units import GAINS_MM_PER_MV, LEADS, PAPER_SPEEDS_MM_PER_S
from ecgdig.web import downloads
from ecgdig.web.dispatcher import Dispatcher, Job, QueueFullError
from ecgdig.web.guard import LOOPBACK, Guard, RefusedError, body_to_file, small_json
from ecgdig.web.limits import Limits
from ecgdig.web.samples import GALLERY
from ecgdig.web.samples import LAYOUTS as DRAWN_LAYOUTS
from ecgdig.web.sessions import FullError, PageHeld, Session, Sessions
from ecgdig.web.tasks import PICTURE, READING, SAMPLES, UPLOAD, VIEW
from ecgdig.web.worker import Worker

STATIC = Path(__file__).parent / "static"
COOKIE = "ecgdig_session"
MOST_EDITS = 200
_LAYOUTS = sorted({name for plans in KNOWN_LAYOUTS.values() for name in plans})
_SWEEP_S = 60.0

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
                self._cancel_all(session)

    def _guarded(self, do: Callable[[Request, Session], Awaitable[Response]]) -> Endpoint:
        """The endpoint for those who have a session; whatever it refuses is a status and a sentence."""

        async def endpoint(request: Request) -> Response:
            session = self.sessions.find(request.cookies.get(COOKIE))
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
            except ClientDisconnect:
                return _refused(400, "the request broke off")

        return endpoint

    async def index(self, request: Request) -> Response:
        """The page; it begins a session where there is none."""
        if self.sessions.find(request.cookies.get(COOKIE)) is None:
            given, token = request.query_params.get("token", ""), self.settings.token
            if token is not None and not secrets.compare_digest(given.encode(), token.encode()):
                return PlainTextResponse("Open the address that `ecgdig serve` printed; it holds the token.\n", 401)
            try:
                session = self.sessions.new()
            except FullError as error:
                return PlainTextResponse(f"{error}\n", 503)
            answer: Response = RedirectResponse("/", 303) if given else FileResponse(STATIC / "index.html")
            answer.set_cookie(
                COOKIE, session.id, httponly=True, samesite="strict", secure=request.url.scheme == "https"
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
                "layouts": _LAYOUTS,
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
        page = session.add(request.query_params.get("name", ""))
        limits = session.limits
        try:
            await body_to_file(request, page.folder / UPLOAD, limits.upload_mb, limits.upload_s)
            return await self._open(session, page)
        except BaseException:
            session.remove(page)
            raise

    async def _open(self, session: Session, page: PageHeld) -> Response:
        counted = await self.queue.done(Job(session.id, {"kind": "count", "folder": str(page.folder)}))
        if counted.state != "done":
            raise RefusedError(counted.fault or 409, counted.error or "cancelled")
        pages = [page]
        label, n = page.name, int(counted.result["pages"])
        for number in range(2, n + 1):
            more = session.add(f"{label}, page {number}")
            more.number, more.upload = number, page.folder
            pages.append(more)
        if n > 1:
            page.name = f"{label}, page 1"
        for each in pages:
            await self._read(session, each, {})
        return JSONResponse({"pages": [self._told(each) for each in pages]}, 201)

    async def _read(self, session: Session, page: PageHeld, options: Mapping[str, Any]) -> None:
        page.edits = []
        what = {"kind": "read", "folder": str(page.folder), "page": page.number, "options": dict(options)}
        if page.upload is not None:
            what["upload"] = str(page.upload)
        page.job = await self.queue.submit(Job(session.id, what, place=str(page.folder)))

    async def pages(self, request: Request, session: Session) -> Response:
        """All pages of the session, with how far their reading is."""
        return JSONResponse({"pages": [self._told(page) for page in session.pages.values()]})

    def _told(self, page: PageHeld) -> dict[str, Any]:
        job = page.job
        told = {"id": page.id, "name": page.name, "edits": len(page.edits)}
        if job is None:
            return {**told, "state": "waiting", "stage": "", "error": "", "ahead": 0}
        return {**told, "state": job.state, "stage": job.stage, "error": job.error, "ahead": self.queue.ahead_of(job)}

    async def page(self, request: Request, session: Session) -> Response:
        """The reading, for the screen."""
        page = _found(request, session)
        return Response(self._whole(page, VIEW).read_bytes(), media_type="application/json")

    async def picture(self, request: Request, session: Session) -> Response:
        return FileResponse(self._whole(_found(request, session), PICTURE), media_type="image/jpeg")

    async def samples(self, request: Request, session: Session) -> Response:
        page = _found(request, session)
        return FileResponse(self._whole(page, SAMPLES), media_type="application/octet-stream")

    async def edit(self, request: Request, session: Session) -> Response:
        """The reading with a whole list of edits; the answer is the new reading."""
        page = _found(request, session)
        self._whole(page, READING)
        value = (await small_json(request)).get("edits")
        edits = edits_of(value)
        if len(edits) > MOST_EDITS:
            raise EditError(f"{len(edits)} edits; want {MOST_EDITS} at most")
        what = {"kind": "edit", "folder": str(page.folder), "edits": value}
        job = await self.queue.done(Job(session.id, what, place=str(page.folder)))
        if job.state != "done":
            raise RefusedError(job.fault or 409, job.error or "cancelled")
        assert isinstance(value, list)
        page.edits = value
        return Response((page.folder / VIEW).read_bytes(), media_type="application/json")

    async def again(self, request: Request, session: Session) -> Response:
        """Read a page anew with what the user knows; its corrections are gone."""
        page = _found(request, session)
        options = _options(await small_json(request))
        if page.job is not None:
            self.queue.cancel(page.job)
        (page.folder / READING).unlink(missing_ok=True)
        await self._read(session, page, options)
        return JSONResponse(self._told(page), 202)

    async def remove(self, request: Request, session: Session) -> Response:
        """Forget a page; its reading is stopped if it is under way."""
        page = _found(request, session)
        if page.job is not None:
            self.queue.cancel(page.job)
        session.remove(page)
        return JSONResponse({})

    async def download(self, request: Request, session: Session) -> Response:
        """A zip of the pages asked for (`pages=a,b`, default all), in `formats=wfdb,csv`; `redact=0` leaves words."""
        query = request.query_params
        formats = downloads.checked(query.get("formats", "wfdb").split(","))
        wanted = query.get("pages", ",".join(session.pages)).split(",")
        pages = [session.pages[key] for key in wanted if key in session.pages]
        pages = [page for page in pages if (page.folder / READING).is_file()]
        if not pages:
            raise RefusedError(404, "none of these pages has been read; wait until it is")
        target = session.new_folder() / "readings.zip"
        entries: list[dict[str, Any]] = [
            {"folder": str(p.folder), "edits": p.edits, "name": Path(p.name).stem} for p in pages
        ]
        what = {
            "kind": "export",
            "target": str(target),
            "pages": entries,
            "formats": formats,
            "redact": query.get("redact", "1") != "0",
        }
        place = str(pages[0].folder) if len(pages) == 1 else ""
        job = await self.queue.done(Job(session.id, what, place=place))
        if job.state != "done":
            _clear(target.parent)
            raise RefusedError(job.fault or 409, job.error or "cancelled")
        name = safe_name(entries[0]["name"])[:60] if len(pages) == 1 else "readings"
        return FileResponse(
            target,
            media_type="application/zip",
            filename=f"{name}.zip",
            background=BackgroundTask(_clear, target.parent),
        )

    async def thumbnail(self, request: Request, session: Session) -> Response:
        number = _sample_number(request)
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
        number = _sample_number(request)
        return await self._made(session, GALLERY[number].title, {"kind": "sample", "number": number})

    async def recording(self, request: Request, session: Session) -> Response:
        """A recording (CSV) to draw pages of; an empty name forgets it."""
        file = session.folder / "recording"
        file.unlink(missing_ok=True)
        if request.query_params.get("name"):
            await body_to_file(request, file, min(session.limits.upload_mb, 50), session.limits.upload_s)
        return JSONResponse({})

    async def draw(self, request: Request, session: Session) -> Response:
        """A page as wished: its picture, or with `read=1` a page of the session."""
        wish = await small_json(request)
        if request.query_params.get("read"):
            return await self._made(session, "drawn page", {"kind": "draw", "wish": wish})
        folder = session.new_folder()
        _lend_recording(session, folder)
        job = await self.queue.done(Job(session.id, {"kind": "draw", "folder": str(folder), "wish": wish}))
        if job.state != "done":
            _clear(folder)
            raise RefusedError(job.fault or 409, job.error or "cancelled")
        return FileResponse(folder / PICTURE, media_type="image/jpeg", background=BackgroundTask(_clear, folder))

    async def _made(self, session: Session, name: str, what: Mapping[str, Any]) -> Response:
        page = session.add(name)
        _lend_recording(session, page.folder)
        job = await self.queue.done(Job(session.id, {**what, "folder": str(page.folder)}))
        if job.state != "done":
            session.remove(page)
            raise RefusedError(job.fault or 409, job.error or "cancelled")
        await self._read(session, page, {})
        return JSONResponse({"pages": [self._told(page)]}, 201)

    async def leave(self, request: Request, session: Session) -> Response:
        """End the session: everything that it holds is deleted now."""
        self._cancel_all(session)
        self.sessions.end(session)
        answer = JSONResponse({})
        answer.delete_cookie(COOKIE)
        return answer

    def _cancel_all(self, session: Session) -> None:
        for page in session.pages.values():
            if page.job is not None:
                self.queue.cancel(page.job)

    def _whole(self, page: PageHeld, name: str) -> Path:
        """A file of a page that has been read.

        Raises:
            RefusedError: it has not, or could not be.
        """
        job = page.job
        if job is not None and job.state == "failed":
            raise RefusedError(job.fault, job.error)
        if not (page.folder / name).is_file() or not (page.folder / READING).is_file():
            raise RefusedError(409, "this page has not been read yet")
        return page.folder / name


def default_workers(memory_mb: int) -> int:
    """One process a core, as far as there is memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6
    return max(1, min(len(os.sched_getaffinity(0)), int(memory / memory_mb), 8))


def _found(request: Request, session: Session) -> PageHeld:
    page = session.pages.get(request.path_params["page"])
    if page is None:
        raise RefusedError(404, "no such page in this session")
    return page


def _sample_number(request: Request) -> int:
    number = int(request.path_params["number"])
    if number >= len(GALLERY):
        raise RefusedError(404, f"the gallery has pages 0 to {len(GALLERY) - 1}")
    return number


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the user knows of a page, checked.

    Raises:
        ValueError: an unknown option or value.
    """
    unknown = set(given) - {"layout", "speed", "gain", "leads"}
    if unknown:
        raise ValueError(f"unknown option {', '.join(sorted(unknown))[:60]!r}; want layout, speed, gain, leads")
    options = {key: value for key, value in given.items() if value not in (None, "")}
    if "layout" in options and options["layout"] not in _LAYOUTS:
        raise ValueError(f"unknown layout {str(options['layout'])[:40]!r}; use one of {', '.join(_LAYOUTS)}")
    for key in ("speed", "gain"):
        if key in options and (isinstance(options[key], bool) or not isinstance(options[key], (int, float))):
            raise ValueError(f"{key} {str(options[key])[:40]!r}; want a number")
    check_scale(options.get("speed"), options.get("gain"))
    if "leads" in options:
        parse_leads(str(options["leads"]))
        options["leads"] = str(options["leads"])
    return options


def _lend_recording(session: Session, folder: Path) -> None:
    file = session.folder / "recording"
    if file.is_file():
        os.link(file, folder / "recording")


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _refused(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)


async def _not_found(request: Request, error: Exception) -> Response:
    status = int(getattr(error, "status_code", 404))
    return _refused(status, "there is nothing of that name here" if status == 404 else "not to be used in that way")
