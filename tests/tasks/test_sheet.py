import pytest
import torch
from torch.utils.data import default_collate
from two_processes import gradient, in_two

from ecgdig.sheets import SheetDataset
from ecgdig.sources import Simulator
from ecgdig.tasks import SheetTask
from ecgdig.tasks.sheet import _dice


def test_the_loss_falls_when_it_sees_one_batch_again_and_again():
    torch.manual_seed(0)
    data = SheetDataset(Simulator(4, seed=0, duration_s=10.0), (128, 192), 3, {"clean": 1.0}, 1, 4)
    batch = default_collate([data[0]])
    task = SheetTask()
    optimizer = torch.optim.AdamW(task.parameters(), lr=1e-2)
    losses, scores = [], {}
    for _ in range(30):
        optimizer.zero_grad()
        loss, scores = task._step(batch)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    assert scores["dice/trace"] > 0.5
    assert scores["turned"] == 1


def test_dice_of_a_known_overlap():
    chance, truth = torch.zeros(1, 1, 10, 10), torch.zeros(1, 1, 10, 10)
    chance[..., :5, :], truth[..., :5, :5] = 1, 1
    assert float(_dice(chance, truth)) == pytest.approx((2 * 25 + 1) / (50 + 25 + 1))
    assert float(_dice(0 * chance, 0 * truth)) == 1


def test_two_processes_have_the_loss_and_the_gradient_of_one():
    torch.manual_seed(0)
    data = SheetDataset(Simulator(4, seed=0, duration_s=10.0), (128, 192), 3, {"clean": 1.0}, 1, 4)
    items = [data[0], data[1]]
    task = SheetTask().eval()  # batch norm takes statistics of a batch otherwise
    whole = task._step(default_collate(items))[0]

    def share(rank):
        loss = task._step(default_collate([items[rank]]))[0]
        return float(loss.detach()), gradient(task, loss)

    shares = in_two(share)
    assert [loss for loss, _ in shares] == pytest.approx([float(whole.detach())] * 2, rel=1e-5)
    wanted = gradient(task, whole)
    assert float((sum(g for _, g in shares) / 2 - wanted).norm()) < 1e-4 * float(wanted.norm())
