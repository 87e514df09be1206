import numpy as np
import pytest

from ecgdig.grid.comb import HARMONICS, Waves, _matched, shifts_mm

NODE_MM = 2.0


def waves(shift, minor=0.5, weight=None, noise=0.0, seed=0):
    """Lock-in sums of lines that lie `shift` `(h, w)` mm beyond their places: 5 mm lines, and 1 mm lines between."""
    order = np.arange(1, HARMONICS + 1)
    comb = np.exp(-0.02 * order**2) * (1 + minor * 4 * (order % 5 == 0))
    sums = comb[:, None, None] * np.exp(-2j * np.pi * order[:, None, None] * shift / 5)
    rng = np.random.default_rng(seed)
    sums = sums + noise * (rng.normal(size=sums.shape) + 1j * rng.normal(size=sums.shape))
    return Waves(sums.astype(np.complex64), np.ones(shift.shape, np.float32) if weight is None else weight)


def test_a_smooth_field_is_recovered():
    y, x = np.mgrid[0:60, 0:80]
    true = 0.3 * np.sin(x / 12) + 0.2 * np.cos(y / 9)
    found = shifts_mm(waves(true, noise=0.05))
    assert np.abs(found - true).max() < 0.05


@pytest.mark.parametrize("depth", [0.7, -1.0])
def test_lines_beside_a_fold_are_not_taken_for_their_neighbours(depth):
    # a strip in which lines are off by more than half a millimetre: the next 1 mm line is nearer there
    y, x = np.mgrid[0:60, 0:80]
    true = depth * np.exp(-(((x - y / 2 - 25) / 4.0) ** 2))
    sums = waves(true, minor=0.9, noise=0.6)  # so much that single nodes take wrong lines
    assert np.abs(shifts_mm(sums) - true).max() < 0.12
    near = np.angle(sums.sums[4]) / (-2 * np.pi)  # what the 1 mm lines alone say
    assert np.abs(near - true).max() > 0.9


def test_a_grid_that_is_counted_from_a_1_mm_line_is_counted_anew():
    true = np.full((30, 40), 2.0) + np.linspace(0, 0.2, 40)
    found = shifts_mm(waves(true, minor=0.6))
    assert np.abs(found - true).max() < 0.05


def test_where_nothing_is_seen_the_neighbours_decide():
    true = np.broadcast_to(np.linspace(-0.4, 0.4, 60), (40, 60))
    weight = np.ones(true.shape, np.float32)
    weight[10:30, 20:30] = 0
    given = waves(true, weight=weight)
    given.sums[:, 10:30, 20:30] = np.random.default_rng(1).normal(size=(HARMONICS, 20, 10))
    off = np.abs(shifts_mm(given) - true)
    assert off.max() < 0.3
    assert np.median(off) < 0.02


def test_paths_cost_what_they_cost():
    rng = np.random.default_rng(2)
    cost = rng.random((1, 5, 4)).astype(np.float32)
    total = _matched(cost, np.float32(0.3), 2)

    def least(costs, label):  # every path through the nodes before, the last one with `label`
        paths = np.stack(np.meshgrid(*[np.arange(4)] * (len(costs) - 1), indexing="ij"), -1).reshape(-1, len(costs) - 1)
        paths = np.column_stack([paths, np.full(len(paths), label)])
        own = costs[np.arange(len(costs)), paths].sum(axis=1)
        return (own + 0.3 * np.minimum(np.abs(np.diff(paths, axis=1)), 2).sum(axis=1)).min()

    for at in (1, 3):
        forward = [least(cost[0, : at + 1], d) for d in range(4)]
        back = [least(cost[0, at:][::-1], d) for d in range(4)]
        wanted = np.array(forward) + back + 2 * cost[0, at]  # down and up the column there is one node
        off = total[0, at] - wanted
        np.testing.assert_allclose(off, off[0], atol=1e-4)  # but for a constant
