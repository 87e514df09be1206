"""WebDataset: `shards/pages-000000.tar …`, the files of a page one after the other under one key.

A sample has `jpg` (or png, webp), `npz`, `hea`, `flac0`, `flac1` (the WFDB record) and `json` (the manifest's row):
the key is what stands before the first dot. Extracted again, the files are as they were.
Format: https://github.com/webdataset/webdataset
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ecgdig.dataset.files import files_of
from ecgdig.dataset.folder import Entry, Folder
from ecgdig.io.atomic import whole_file

FOLDER = "shards"


def write_shards(folder: Folder, per_shard: int, watch: Callable[[Iterable[Entry]], Iterable[Entry]]) -> list[Path]:
    """Pack `per_shard` pages into each tar; tars of an earlier packing are removed. The same bytes every time."""
    room = folder.path / FOLDER
    written: list[Path] = []
    entries = list(folder)
    watched = iter(watch(entries))
    for number, first in enumerate(range(0, len(entries), per_shard)):
        target = room / f"pages-{number:06d}.tar"
        with whole_file(target) as temporary, tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar:
            for _ in entries[first : first + per_shard]:
                for name, data in _members(next(watched)):
                    info = tarfile.TarInfo(name)  # owner root, date 1970, mode 0644: nothing of this machine
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
        written.append(target)
    next(watched, None)  # lets a progress bar end
    for old in set(room.glob("pages-*.tar")) - set(written):
        old.unlink()
    return written


def _members(entry: Entry) -> Iterator[tuple[str, bytes]]:
    for file in files_of(entry.row):
        yield Path(file).name, (entry.folder / file).read_bytes()
    yield f"{entry.name}.json", json.dumps(dict(entry.row)).encode()
