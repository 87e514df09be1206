"""Memory of processes that make one picture after the other."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt, malloc.h
_KEPT_BYTES = 1 << 30


def keep_freed_memory() -> bool:
    """Let this process keep freed memory for its next picture; whether it can.

    Glibc gives the memory of large arrays back to the system, which then clears new pages one by one: a tenth of the
    time of a page. The most that a process takes does not change. Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(mallopt(parameter, _KEPT_BYTES) == 1 for parameter in (_TRIM_THRESHOLD, _MMAP_THRESHOLD))
