import pytest
import torch
from two_processes import in_two

from ecgdig.tasks.processes import mean_over_all, over_all

VALUES = torch.tensor([[1.0, 2.0, 30.0], [4.0, 50.0, 60.0]])  # of each process
COUNTED = torch.tensor([[True, True, False], [True, False, False]])


def test_alone_a_sum_is_itself():
    sums = torch.tensor([1.0, 2.0])
    assert over_all(sums) is sums


def test_sums_of_all_are_known_to_each():
    found = in_two(lambda rank: over_all(VALUES[rank]))
    for one in found:
        torch.testing.assert_close(one, VALUES.sum(0))


def test_a_mean_counts_what_each_process_has():
    found = in_two(lambda rank: mean_over_all(VALUES[rank], COUNTED[rank]))
    # not the mean of 1.5 and 4
    assert [float(one) for one in found] == pytest.approx([7 / 3, 7 / 3])
    assert float(mean_over_all(VALUES[0], torch.zeros(3, dtype=torch.bool))) == 0


def test_the_mean_of_the_gradients_is_that_of_the_whole():
    def share(rank):
        weight = torch.tensor(2.0, requires_grad=True)
        (slope,) = torch.autograd.grad(mean_over_all((weight * VALUES[rank]).square(), COUNTED[rank]), weight)
        return float(slope)

    # of (1 + 4 + 16) w^2 / 3, as DDP averages it
    assert sum(in_two(share)) / 2 == pytest.approx(2 * 2.0 * 21 / 3)
