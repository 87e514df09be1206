"""Finished pages of an evaluation, one line each, so that a killed one goes on."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from ecgdig.metrics import RecordScore
from ecgdig.scoring.results import PageResult

_FORMAT = 2  # 2: QRS duration and QT interval are compared
_OTHER = "{file}: not a file that --resume wrote; delete it or name another one"


class Journal:
    """The results so far, by index of the page; with a file they survive a kill at any moment.

    The first line of the file says what is evaluated. A line that a kill cut short is dropped, and its page read again.
    Floats are written so that they come back bit for bit: the final numbers are those of an undisturbed run.

    Args:
        path: of the file, made if it is not there; None keeps nothing on disk.
        about: what is evaluated, plain JSON; must be that of the file.

    Raises:
        ValueError: not such a file, of another evaluation, or in use by another run.
    """

    def __init__(self, path: str | os.PathLike[str] | None, about: Mapping[str, Any]) -> None:
        self.results: dict[int, PageResult] = {}
        self.pictures: dict[int, Mapping[str, str]] = {}
        self._file: TextIO | None = None
        if path is None:
            return
        file = Path(path)
        head = {"ecgdig_evaluation": _FORMAT, **json.loads(json.dumps(about))}
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file.open("a+", encoding="utf-8")
        try:
            self._open(file, head)
        except ValueError:
            self._file.close()
            raise

    def add(self, result: PageResult, pictures: Mapping[str, str]) -> None:
        """Keep a result, with pictures of the page (name -> data URI; may be empty)."""
        self.results[result.index] = result
        self._keep(result.index, pictures)
        if self._file is not None:
            self._file.write(json.dumps({**asdict(result), "pictures": dict(pictures)}) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Lets go of the file; it stays."""
        if self._file is not None:
            self._file.close()

    def _open(self, file: Path, head: Mapping[str, Any]) -> None:
        assert self._file is not None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"{file}: another evaluation is writing to it; wait, or name another file") from None
        data = file.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]  # what follows was cut short by a kill
        first = json.dumps(head).encode()
        if not whole and not first.startswith(data):
            raise ValueError(_OTHER.format(file=file))
        for row in _rows(file, whole.decode(errors="replace"), head):
            self._take(row)
        self._file.truncate(len(whole))
        if not whole:
            self._file.write(f"{first.decode()}\n")
            self._file.flush()

    def _take(self, row: dict[str, Any]) -> None:
        score, oracle = _score(row["score"]), row["oracle"] and _score(row["oracle"])
        index = int(row["index"])
        self.results[index] = PageResult(index, score, oracle or None, row["error"], row["facts"])
        self._keep(index, row["pictures"])

    def _keep(self, index: int, pictures: Mapping[str, str]) -> None:
        if pictures:
            self.pictures[index] = pictures


def _score(row: dict[str, Any]) -> RecordScore:
    return RecordScore(**{**row, "sigma_hits": tuple(row["sigma_hits"])})


def _rows(file: Path, text: str, head: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The finished pages in the whole lines of a file.

    Raises:
        ValueError: the file is not a journal, or of another evaluation.
    """
    if not text:
        return []
    try:
        there, *rows = (json.loads(line) for line in text.splitlines())
        if there["ecgdig_evaluation"] != _FORMAT or not all({"index", "score", "pictures"} <= set(row) for row in rows):
            raise KeyError
    except (KeyError, TypeError, ValueError):
        raise ValueError(_OTHER.format(file=file)) from None
    for key in sorted({*head, *there}):
        if there.get(key) != head.get(key):
            raise ValueError(
                f"{file}: of another evaluation ({key} {there.get(key)}, now {head.get(key)}); "
                "give the same options or name another file"
            )
    return rows
