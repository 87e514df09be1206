"""Memory of processes that make one picture after the other."""

from __future__ import annotations

import ctypes
import resource
from pathlib import Path

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt, malloc.h
_KEPT_BYTES = 1 << 30
_LARGEST_KEPT_BYTES = 24 << 20  # larger ones (pages of over 8 megapixels) leave holes that nothing fits into
_STATM = Path("/proc/self/statm")


def keep_freed_memory() -> bool:
    """Let this process keep freed memory for its next picture; whether it can.

    Glibc gives the memory of large arrays back to the system, which then clears new pages one by one: a tenth of the
    time of a page. Arrays of more than 24 MB are not kept. Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _KEPT_BYTES) == 1 and mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES) == 1)


def give_back_above(limit_mb: float) -> bool:
    """Give what is free back to the system if this process holds more than `limit_mb`; whether it was asked to.

    Code and other files in memory do not count: a library more must not have every picture's memory given back.
    A process that keeps freed memory grows with every large picture, as what it keeps has holes that the next one does
    not fit into: by 140 MB over 700 pages. Nothing is done without glibc and Linux's /proc.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None or not _STATM.exists():
        return False
    _, resident, of_files, *_ = (int(pages) for pages in _STATM.read_text(encoding="ascii").split())
    if (resident - of_files) * resource.getpagesize() < limit_mb * 2**20:
        return False
    trim(0)
    return True
