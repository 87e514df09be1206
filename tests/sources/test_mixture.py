from __future__ import annotations

import pickle

import numpy as np
import pytest

from ecgdig.sources import Mixture, Simulator, Source


def two() -> tuple[Simulator, Simulator]:
    return Simulator(50, seed=1, duration_s=1.0), Simulator(7, seed=2, duration_s=1.0)


def test_an_item_is_a_pure_function_of_seed_and_index() -> None:
    mixture = Mixture(two(), [3, 1], seed=5, length=400)
    assert isinstance(mixture, Source)
    again = pickle.loads(pickle.dumps(mixture))
    for index in (7, 3, 7, 399):
        np.testing.assert_array_equal(mixture[index].signal_mv, again[index].signal_mv)
    assert mixture.pick(-1) == mixture.pick(399)
    picks = [mixture.pick(i) for i in range(50)]
    assert picks != [Mixture(two(), [3, 1], seed=6, length=400).pick(i) for i in range(50)]
    assert picks == [Mixture(two(), [3, 1], seed=5, length=50).pick(i) for i in range(50)]


def test_weights_are_shares_and_every_recording_comes_up() -> None:
    mixture = Mixture(two(), [3, 1], seed=0, length=4000)
    picks = [mixture.pick(i) for i in range(len(mixture))]
    share = np.mean([source for source, _ in picks])
    assert share == pytest.approx(0.25, abs=0.03)
    assert {item for source, item in picks if source == 1} == set(range(7))
    assert {item for source, item in picks if source == 0} == set(range(50))


def test_a_weight_of_zero_leaves_a_source_out() -> None:
    mixture = Mixture((Simulator(0), two()[1]), [0, 1], seed=0, length=50)
    assert {mixture.pick(i)[0] for i in range(50)} == {1}


@pytest.mark.parametrize(
    "sources, weights, message",
    [
        pytest.param((), (), "at least one", id="no source"),
        pytest.param(two(), (1.0,), "one weight for each", id="too few weights"),
        pytest.param(two(), (1.0, -1.0), "from 0 up", id="negative weight"),
        pytest.param(two(), (0.0, 0.0), "not all 0", id="zero weights"),
        pytest.param(two(), (float("nan"), 1.0), "from 0 up", id="weight not a number"),
        pytest.param((two()[0], Simulator(0)), (1.0, 1.0), r"source 1 \(Simulator\)", id="empty source"),
    ],
)
def test_what_does_not_fit_is_refused(sources: tuple[Source, ...], weights: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Mixture(sources, weights, seed=0, length=10)


def test_out_of_range() -> None:
    with pytest.raises(IndexError):
        Mixture(two(), [1, 1], seed=0, length=10)[10]
