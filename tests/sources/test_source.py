from __future__ import annotations

import pytest

from ecgdig.sources import Simulator, Source
from ecgdig.sources.source import checked_index


@pytest.mark.parametrize(("index", "position"), [(0, 0), (2, 2), (-1, 2), (-3, 0)])
def test_an_index_counts_from_either_end(index: int, position: int) -> None:
    assert checked_index(index, 3) == position


@pytest.mark.parametrize(("index", "length"), [(3, 3), (-4, 3), (0, 0)])
def test_an_index_outside_is_refused(index: int, length: int) -> None:
    with pytest.raises(IndexError, match=str(index)):
        checked_index(index, length)


def test_the_simulator_is_a_source_and_a_number_is_not() -> None:
    assert isinstance(Simulator(1), Source)
    assert not isinstance(3, Source)
