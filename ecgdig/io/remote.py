"""Files in object stores, by any URL that fsspec knows (`s3://bucket/folder`): fetched to a cache, uploaded whole.

What is no URL passes through, and fsspec is not imported.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ecgdig.hub.remote import cache
from ecgdig.io.atomic import whole_file

_URL = re.compile(r"(?P<protocol>[a-z][a-z0-9+.-]*)://(?P<path>.+)")
# an upload to these is seen when it is complete, or not at all; elsewhere a file is renamed when it is complete
_ATOMIC = {"s3", "s3a", "gs", "gcs", "az", "abfs", "memory"}
_LAST = ("dataset.json", "index.csv", "manifest.csv", "summary.csv", ".journal.jsonl")  # they vouch for the others


class RemoteError(ValueError):
    """A URL that cannot be read or written; the message is one line, names it and says the remedy."""


def is_url(path: str) -> bool:
    """Whether `path` is a URL for fsspec, not a path on this machine."""
    return _URL.fullmatch(path) is not None


def local(path: str) -> Path:
    """Where the files of a URL are on this machine, fetched or not; of a path the path itself."""
    url = _URL.fullmatch(path)
    if url is None:
        return Path(path)
    return cache() / "objects" / url["protocol"] / url["path"].strip("/")


def fetched(path: str) -> str:
    """The path of a local copy of a file or of all below a folder; a path that is no URL is given back.

    A file that is in the cache with the same size, and is not older, is not fetched again.

    Raises:
        RemoteError: nothing there, no rights, not reachable, or the file system is not installed.
    """
    if not is_url(path):
        return path
    with _one_line(path):
        files = _fetch(path)
        if not files:
            raise RemoteError(f"{path}: nothing there; give a file or a folder that holds some")
    return str(local(path))


def shown(text: str) -> str:
    """A message with the URLs that the user gave instead of the places in the cache."""
    return re.sub(re.escape(f"{cache()}/objects/") + r"([a-z][a-z0-9+.-]*)/", r"\1://", text)


class Outbox:
    """A folder or file in an object store with its copy on this machine; of a plain path only the path.

    What is there is fetched first, so that a run goes on where another machine's ended. Files appear in the store
    whole: those that vouch for others (manifest, summary, journal) after the others.

    Attributes:
        path: on this machine, where to write.

    Raises:
        RemoteError: no such bucket, no rights, not reachable, or the file system is not installed.
    """

    def __init__(self, path: str) -> None:
        self.path = local(path)
        self._url = path if is_url(path) else None
        self._there: dict[str, tuple[int, int]] = {}  # file -> size, time of what is uploaded
        if self._url is not None:
            with _one_line(self._url):
                files = _fetch(self._url)
            _remove_others(self.path, files)
            self._there = {name: _state(self.path / name) for name in files}

    def push(self) -> None:
        """Upload what is new or changed, and remove from the store what is gone here."""
        if self._url is None:
            return
        with _one_line(self._url):
            system, root = _opened(self._url)
            # before the files are listed: a page that is finished meanwhile must not be vouched for
            journals = {p.name: p.read_bytes() for p in self.path.glob(".journal.jsonl")}
            here = {name: _state(self.path / name) for name in _names(self.path)}
            for name in sorted(here, key=lambda name: (Path(name).name in _LAST or name.endswith(".json"), name)):
                if self._there.get(name) != here[name]:
                    _put(system, (self.path / name if name else self.path).read_bytes(), _join(root, name))
                    self._there[name] = here[name]
            for name, data in journals.items():
                _put(system, data, _join(root, name))
                self._there[name] = (-1, -1)
            for name in set(self._there) - set(here) - set(journals):
                system.rm_file(_join(root, name))
                del self._there[name]


def _opened(url: str) -> tuple[Any, str]:
    import fsspec

    system, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    return system, str(root).rstrip("/")


def _fetch(url: str) -> list[str]:
    """Fetch a file (named "") or all below a folder; the names, relative to the URL."""
    system, root = _opened(url)
    protocol = url.split("://")[0]
    target = local(url)
    if protocol in ("s3", "s3a") and "/" not in root:
        system.ls(root)  # tells a bucket that is not there from one that is empty
    found = system.find(root, detail=True)
    names = []
    for path, about in found.items():
        name = path.removeprefix(root).strip("/")
        if name.endswith(".tmp"):  # of an upload that was killed
            continue
        file = target / name if name else target
        names.append(name)
        if not _same(file, about):
            with whole_file(file) as temporary, system.open(path, "rb") as source, temporary.open("wb") as sink:
                shutil.copyfileobj(source, sink)
    return names


def _same(file: Path, about: dict[str, Any]) -> bool:
    changed = about.get("LastModified") or about.get("mtime") or about.get("created") or about.get("updated")
    if not file.is_file() or changed is None or file.stat().st_size != about.get("size"):
        return False
    when = changed.timestamp() if hasattr(changed, "timestamp") else float(changed)
    return file.stat().st_mtime >= when


def _put(system: Any, data: bytes, path: str) -> None:
    if set((system.protocol,) if isinstance(system.protocol, str) else system.protocol) & _ATOMIC:
        system.pipe_file(path, data)
        return
    system.makedirs(path.rpartition("/")[0], exist_ok=True)
    system.pipe_file(f"{path}.tmp", data)
    system.mv(f"{path}.tmp", path)


def _names(folder: Path) -> Iterable[str]:
    """Finished files below a folder, relative to it; "" where it is a file itself."""
    if folder.is_file():
        return [""]
    files = (p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    return [p.as_posix() for p in files if not p.name.startswith(".")]  # temporary names begin with a dot


def _remove_others(folder: Path, files: Iterable[str]) -> None:
    """Results in the cache that the store lacks: somebody deleted them there. What an unfinished run left stays."""
    if folder.is_file() or (folder / ".journal.jsonl").is_file():
        return
    for name in set(_names(folder)) - set(files):
        (folder / name).unlink()


def _state(file: Path) -> tuple[int, int]:
    about = file.stat()
    return about.st_size, about.st_mtime_ns


def _join(root: str, name: str) -> str:
    return f"{root}/{name}" if name else root


@contextmanager
def _one_line(url: str) -> Iterator[None]:
    try:
        yield
    except RemoteError:
        raise
    except ImportError as error:
        raise RemoteError(f"{url}: needs a library ({_said(error)}); pip install 'ecgdig[cloud]' brings S3") from None
    except FileNotFoundError as error:
        raise RemoteError(f"{url}: not there ({_said(error)}); check the name of bucket and folder") from None
    except PermissionError as error:
        raise RemoteError(f"{url}: no rights ({_said(error)}); check the credentials and what they allow") from None
    except Exception as error:  # network, credentials, protocol: each file system has its own errors
        raise RemoteError(
            f"{url}: cannot be used ({type(error).__name__}: {_said(error)}); check URL, credentials and network"
        ) from None


def _said(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
