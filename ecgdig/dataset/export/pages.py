"""Work on every page of a data set in several processes, results in the pages' order."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from typing import TypeVar

import cv2

from ecgdig.dataset.folder import Entry

Result = TypeVar("Result")
_AHEAD = 32  # pages a worker; results are taken in order, so none may run far ahead


def mapped(work: Callable[[Entry], Result], entries: Iterable[Entry], workers: int) -> Iterator[Result]:
    """`work(entry)` for each entry, in order; `workers` processes, 0 = in this one."""
    if workers <= 0:
        yield from map(work, entries)
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(workers, context, cv2.setNumThreads, (1,)) as pool:
        rest = iter(entries)
        while some := list(islice(rest, workers * _AHEAD)):
            yield from pool.map(work, some, chunksize=4)
