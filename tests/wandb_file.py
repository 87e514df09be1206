"""Reads what an offline W&B run left: a LevelDB log of protobuf records (`wandb sync` reads the same file)."""

from __future__ import annotations

import json
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record

_BLOCK, _HEADER = 32768, 7  # bytes; a block's rest shorter than a header is padding
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


def records(file: Path) -> Iterator[Any]:
    """Every protobuf record of a .wandb file, its checksums checked."""
    data = file.read_bytes()
    assert data[:4] == b":W&B"
    at, whole = _HEADER, b""
    while at + _HEADER <= len(data):
        if _BLOCK - at % _BLOCK < _HEADER:
            at += _BLOCK - at % _BLOCK
            continue
        checksum, length, kind = struct.unpack("<IHB", data[at : at + _HEADER])
        part = data[at + _HEADER : at + _HEADER + length]
        if len(part) < length:  # still being written
            return
        assert zlib.crc32(bytes([kind]) + part) == checksum
        whole = part if kind in (_FULL, _FIRST) else whole + part
        at += _HEADER + length
        if kind in (_FULL, _LAST):
            yield Record.FromString(whole)


def finished(file: Path, patience_s: float = 60.0) -> Path:
    """The file, once its run's last record is written: W&B's own process writes on after `finish()` has returned."""
    give_up = time.monotonic() + patience_s
    while not any(record.WhichOneof("record_type") == "exit" for record in records(file)):
        assert time.monotonic() < give_up, f"{file} has no end after {patience_s:g} s"
        time.sleep(0.2)
    return file


def history(file: Path) -> dict[str, list[Any]]:
    """Key (of a picture or table KEY.part) -> everything that was logged under it, in order."""
    out: dict[str, list[Any]] = {}
    for record in records(file):
        if record.WhichOneof("record_type") == "history":
            for item in record.history.item:
                key = item.key or ".".join(item.nested_key)
                out.setdefault(key, []).append(json.loads(item.value_json))
    return out
