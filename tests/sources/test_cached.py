from __future__ import annotations

import pickle

import numpy as np

from ecgdig.recording import Recording
from ecgdig.sources import Cached, Simulator, Source


class Counting:
    """A source that counts how often it is read; 0.048 MB a recording."""

    def __init__(self) -> None:
        self.reads: list[int] = []

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Recording:
        self.reads.append(index)
        return Recording(tuple("abcdefghijkl"), 100.0, np.full((12, 1000), index, np.float32))


def test_each_recording_is_read_once() -> None:
    counting = Counting()
    cached = Cached(counting)
    assert isinstance(cached, Source)
    assert len(cached) == 5
    for index in (3, 1, 3, 3, 1):
        assert cached[index].signal_mv[0, 0] == index
    assert counting.reads == [3, 1]


def test_nothing_is_kept_beyond_the_limit() -> None:
    counting = Counting()
    cached = Cached(counting, limit_mb=0.1)  # two of them
    for _ in range(2):
        for index in range(4):
            assert cached[index].signal_mv[0, 0] == index
    assert counting.reads == [0, 1, 2, 3, 2, 3]


def test_a_copy_in_a_worker_begins_empty() -> None:
    cached = Cached(Simulator(3, seed=1, duration_s=1.0))
    first = cached[0]
    assert len(pickle.dumps(cached)) < 2000
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(cached))[0].signal_mv, first.signal_mv)
