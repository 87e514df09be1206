"""A source that remembers what it has read."""

from __future__ import annotations

from ecgdig.recording import Recording
from ecgdig.sources.source import Source


class Cached:
    """Keeps each recording of `source` in memory once it has been read.

    Reading a WFDB record costs more than drawing a strip of it.

    Args:
        source: where recordings come from.
        limit_mb: nothing more is kept beyond this; 12 leads of 10 s at 500 Hz take 0.24 MB.
    """

    def __init__(self, source: Source, limit_mb: float = 600.0) -> None:
        self.source, self.limit_mb = source, limit_mb
        self._kept: dict[int, Recording] = {}
        self._kept_mb = 0.0

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Recording:
        if index in self._kept:
            return self._kept[index]
        recording = self.source[index]
        size_mb = recording.signal_mv.nbytes / 1e6
        if self._kept_mb + size_mb <= self.limit_mb:
            self._kept[index] = recording
            self._kept_mb += size_mb
        return recording

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"_kept": {}, "_kept_mb": 0.0}  # every worker fills its own
