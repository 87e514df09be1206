"""`Source`: anything that numbered recordings come from."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ecgdig.recording import Recording


@runtime_checkable
class Source(Protocol):
    """A finite sequence of recordings.

    `source[i]` reads or makes recording `i` and nothing else: the same `i` gives the same recording in every process.
    A source is cheap to make and can be pickled, so that data loading workers can each hold one.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Recording: ...


def checked_index(index: int, length: int) -> int:
    """`index` as a position in `0 .. length - 1`; negative counts from the end.

    Raises:
        IndexError: outside the range. Python's `for` over a source stops at it.
    """
    if not -length <= index < length:
        raise IndexError(f"recording {index} of a source that has {length}")
    return index % length
