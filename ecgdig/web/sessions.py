"""Who is there: sessions with their pages, in a folder that only this user can enter and that goes with them."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecgdig.web.dispatcher import Job
from ecgdig.web.limits import MB, Limits


class FullError(Exception):
    """A session, or the server, holds as much as it may; the message says what to do."""


@dataclass(eq=False)
class PageHeld:
    """A page of a session.

    Every reading, and every correction of it, is written into a folder of its own that is taken over when it is whole:
    what is shown and taken home is never half of one and half of another.

    Attributes:
        name: what it is called on the screen; `file_name`, what its files are called.
        folder: of its upload, and the name of its place among the workers.
        number: in a file of several pages, whose folder is `upload`.
        job: the last that was to read it.
        reading, shown: folders of the last whole reading, and of the same with the `edits`; None before.
        dropped: corrections of an earlier reading that do not fit this one, in words.
    """

    id: str
    name: str
    file_name: str
    folder: Path
    number: int = 1
    upload: Path | None = None
    job: Job | None = None
    reading: Path | None = None
    shown: Path | None = None
    edits: list[Any] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        return str(self.folder)

    def takes_over(self, reading: Path, shown: Path) -> None:
        """Show another reading or correction; the folders of the one before go."""
        old = {self.reading, self.shown} - {None, reading, shown}
        self.reading, self.shown = reading, shown
        for folder in old:
            assert folder is not None
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(eq=False)
class Session:
    """One visitor."""

    id: str
    folder: Path
    limits: Limits
    seen: float
    pages: dict[str, PageHeld] = field(default_factory=dict)
    _coming_bytes: int = 0

    @contextmanager
    def room_for(self, most_bytes: int) -> Iterator[None]:
        """Room for an upload of up to so many bytes while it comes: several at once may not take more than there is.

        Raises:
            FullError: there is not so much left.
        """
        if self.size_bytes() + self._coming_bytes + most_bytes > self.limits.session_mb * MB:
            raise FullError(f"your pages may take {self.limits.session_mb} MB in all; remove some first")
        self._coming_bytes += most_bytes
        try:
            yield
        finally:
            self._coming_bytes -= most_bytes

    def add(self, name: str) -> PageHeld:
        """A new page with an empty folder.

        Raises:
            FullError: too many pages, or the session has ended.
        """
        if len(self.pages) >= self.limits.pages:
            raise FullError(f"{len(self.pages)} pages are open; remove some first")
        label = _label(name)
        page = PageHeld(secrets.token_urlsafe(9), label, Path(label).stem, self.new_folder())
        self.pages[page.id] = page
        return page

    def new_folder(self) -> Path:
        """An empty folder.

        Raises:
            FullError: the session has ended.
        """
        if not self.folder.is_dir():
            raise FullError("this session has ended; open the start page again")
        return Path(tempfile.mkdtemp(dir=self.folder))

    def remove(self, page: PageHeld) -> None:
        """Forget a page; the file of several pages goes with the last of them."""
        self.pages.pop(page.id, None)
        for folder in {page.reading, page.shown} - {None}:
            assert folder is not None
            shutil.rmtree(folder, ignore_errors=True)
        uploads = {other.upload for other in self.pages.values()}
        if page.folder not in uploads:
            shutil.rmtree(page.folder, ignore_errors=True)
        if page.upload is not None and page.upload not in uploads | {p.folder for p in self.pages.values()}:
            shutil.rmtree(page.upload, ignore_errors=True)

    def size_bytes(self) -> int:
        return size_of(self.folder)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; those that go meanwhile do not count."""
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total


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
        """A session with a key that cannot be guessed; if there are too many, the longest idle without pages goes.

        Raises:
            FullError: there are as many as there may be, and all hold pages.
        """
        if len(self._sessions) >= self._limits.sessions:
            empty = [session for session in self._sessions.values() if not session.pages]
            if empty:  # any page of the web may ask for the start page in vain, again and again
                self.end(min(empty, key=lambda session: session.seen))
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

    def sweep(self) -> None:
        """Delete folders that belong to no session, whoever made them after it had ended."""
        kept = {session.folder for session in self._sessions.values()}
        for folder in self.folder.iterdir():
            if folder.is_dir() and folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        self._sessions.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


def _label(name: str) -> str:
    """What a page is called on the screen; never a path."""
    bare = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable())
    return bare[:80] or "page"
