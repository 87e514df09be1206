"""Memory of processes that make one picture after the other."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt, malloc.h
_KEPT_BYTES = 1 << 30
# Larger arrays (pages of more than 8 megapixels) are the system's again at once: kept as well, they leave holes that
# the next ones do not fit into, and the process grows by 100 MB over some hundred pages.
_LARGEST_KEPT_BYTES = 24 << 20


def keep_freed_memory() -> bool:
    """Let this process keep freed memory for its next picture; whether it can.

    Glibc gives the memory of large arrays back to the system, which then clears new pages one by one: a tenth of the
    time of a page. Arrays of more than 24 MB are not kept. Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _KEPT_BYTES) == 1 and mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES) == 1)
