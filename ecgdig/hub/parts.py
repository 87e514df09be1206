"""Large files of a checkpoint in parts: `model.onnx` as `model.onnx.part1of2` and `model.onnx.part2of2`.

Repositories and their mirrors refuse large files. `cat model.onnx.part* > model.onnx` makes it one again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ecgdig.io.atomic import whole_file

MOST_BYTES = 15_000_000  # in a file
_PART = re.compile(r"(?P<name>.+)\.part(?P<number>\d)of(?P<count>\d)")  # nine parts sort as they follow


def write(file: Path, data: bytes) -> None:
    """Write a file, in parts where it is large; each appears whole or not at all, and what was there before goes.

    Raises:
        ValueError: more than nine parts.
        OSError: the folder cannot be written to.
    """
    n = max(1, -(-len(data) // MOST_BYTES))
    if n > 9:
        raise ValueError(f"{file.name} of {len(data) / 1e6:.0f} MB; want {9 * MOST_BYTES / 1e6:.0f} MB or less")
    names = [file.name] if n == 1 else [f"{file.name}.part{k + 1}of{n}" for k in range(n)]
    for k, name in enumerate(names):
        with whole_file(file.with_name(name)) as part:
            part.write_bytes(data[k * MOST_BYTES : (k + 1) * MOST_BYTES] if n > 1 else data)
    _remove(file, besides=names)


def read(file: Path) -> bytes:
    """The content of a file that may lie there in parts.

    Raises:
        OSError: it is not there, or a part is missing.
    """
    names = stored(file.name, _beside(file))
    if not names:
        raise FileNotFoundError(f"{file} does not exist")
    return b"".join(file.with_name(name).read_bytes() for name in names)


def exists(file: Path) -> bool:
    """Whether a file is there, whole or in parts."""
    return bool(stored(file.name, _beside(file)))


def remove(file: Path) -> None:
    """Remove a file, or all of its parts, if there are any."""
    _remove(file)


def stored(name: str, there: Iterable[str]) -> list[str]:
    """Those of some files' names that together hold a file: itself, or all of its parts in order; none if one lacks."""
    there = set(there)
    if name in there:
        return [name]
    parts = sorted(other for other in there if (m := _PART.fullmatch(other)) is not None and m["name"] == name)
    counts = {int(m["count"]) for other in parts if (m := _PART.fullmatch(other)) is not None}
    for count in sorted(counts):
        wanted = [f"{name}.part{k + 1}of{count}" for k in range(count)]
        if set(wanted) <= there:
            return wanted
    return []


def _remove(file: Path, besides: Sequence[str] = ()) -> None:
    for other in _beside(file):
        part = _PART.fullmatch(other)
        if other not in besides and (other == file.name or (part is not None and part["name"] == file.name)):
            file.with_name(other).unlink()


def _beside(file: Path) -> list[str]:
    return [other.name for other in file.parent.iterdir()] if file.parent.is_dir() else []
