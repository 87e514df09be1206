"""Who is there: sessions with their pages, in a folder that only this user can enter and that goes with them."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecgdig.web.dispatcher import Job
from ecgdig.web.limits import MB, Limits


class FullError(Exception):
    """A session, or the server, holds as much as it may; the message says what to do."""


@dataclass(eq=False)
class PageHeld:
    """A page of a session: its folder, what it is called, the job that reads it, and what was corrected."""

    id: str
    name: str
    folder: Path
    number: int = 1
    upload: Path | None = None  # the folder with the file, of a page of a file with several
    job: Job | None = None
    edits: list[Any] = field(default_factory=list)


@dataclass(eq=False)
class Session:
    """One visitor."""

    id: str
    folder: Path
    limits: Limits
    seen: float
    pages: dict[str, PageHeld] = field(default_factory=dict)

    def add(self, name: str) -> PageHeld:
        """A new page with an empty folder.

        Raises:
            FullError: too many pages, or too many bytes.
        """
        if len(self.pages) >= self.limits.pages:
            raise FullError(f"{len(self.pages)} pages are open; remove some first")
        if self.size_bytes() > self.limits.session_mb * MB:
            raise FullError(f"your pages take {self.limits.session_mb} MB; remove some first")
        page = PageHeld(secrets.token_urlsafe(9), _label(name), self.new_folder())
        self.pages[page.id] = page
        return page

    def new_folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))

    def remove(self, page: PageHeld) -> None:
        """Forget a page; the file of several pages goes with the last of them."""
        self.pages.pop(page.id, None)
        uploads = {other.upload for other in self.pages.values()}
        if page.folder not in uploads:
            shutil.rmtree(page.folder, ignore_errors=True)
        if page.upload is not None and page.upload not in uploads | {p.folder for p in self.pages.values()}:
            shutil.rmtree(page.upload, ignore_errors=True)

    def size_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())


class Sessions:
    """All sessions; nothing outlives them."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="ecgdig-"))  # 0700

    def find(self, key: str | None) -> Session | None:
        session = self._sessions.get(key or "")
        if session is not None:
            session.seen = self._clock()
        return session

    def new(self) -> Session:
        """A session with a key that cannot be guessed.

        Raises:
            FullError: there are as many as there may be.
        """
        self.forget_idle()
        if len(self._sessions) >= self._limits.sessions:
            raise FullError("too many visitors at once; come back in a few minutes")
        session = Session(
            secrets.token_urlsafe(24), Path(tempfile.mkdtemp(dir=self.folder)), self._limits, self._clock()
        )
        self._sessions[session.id] = session
        return session

    def end(self, session: Session) -> None:
        """Delete a session and all that it holds."""
        self._sessions.pop(session.id, None)
        shutil.rmtree(session.folder, ignore_errors=True)

    def forget_idle(self) -> list[Session]:
        """End the sessions that were idle for too long; returns them."""
        late = [s for s in self._sessions.values() if self._clock() - s.seen > self._limits.idle_s]
        for session in late:
            self.end(session)
        return late

    def close(self) -> None:
        self._sessions.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


def _label(name: str) -> str:
    """What a page is called on the screen; never a path."""
    bare = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable())
    return bare[:80] or "page"
