import numpy as np
import pytest
import torch
from torch.utils.data import default_collate
from two_processes import gradient, in_two

from ecgdig.grid.overview import HEADS, STEPS_A_DOUBLING
from ecgdig.sources import Simulator
from ecgdig.tasks import PageTask
from ecgdig.tasks.page import _judged
from ecgdig.thumbnails import TRUTHS, PageDataset


def test_the_loss_falls_when_it_sees_one_batch_again_and_again():
    torch.manual_seed(0)
    data = PageDataset(Simulator(4, seed=0, duration_s=10.0), 160, 4, {"clean": 1.0}, 1, 4)
    batch = default_collate([data[0]])
    task = PageTask()
    optimizer = torch.optim.AdamW(task.parameters(), lr=3e-3)
    losses, terms = [], {}
    for _ in range(40):
        optimizer.zero_grad()
        loss, terms, _ = task._step(batch)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.4 * losses[0]
    assert float(terms["lines"]) < 0.3
    assert all(np.isfinite(float(value)) for value in terms.values())


def perfect(truth):
    """The answers of a network that knows the truth `(5, h, w)`."""
    known = dict(zip(TRUTHS, np.nan_to_num(truth), strict=True))
    out = {name: np.zeros((n, *truth.shape[1:]), np.float32) for name, n in HEADS.items()}
    out["paper"][0] = 10 * known["paper"] - 5
    best = np.rint(STEPS_A_DOUBLING * known["scale"]).astype(int)
    np.put_along_axis(out["scale"], best[None], 9.0, axis=0)
    out["lines"][:] = np.cos(4 * known["angle"]), np.sin(4 * known["angle"])
    return {name: torch.from_numpy(value) for name, value in out.items()}


def test_perfect_turned_and_misscaled_answers_are_told_apart():
    data = PageDataset(Simulator(4, seed=0, duration_s=10.0), 320, 1, {"photo": 1.0}, 1, 4)
    truth = data[1]["truth"][0]
    assert np.isfinite(truth[TRUTHS.index("angle")]).sum() > 50
    right = _judged(torch.from_numpy(truth), perfect(truth))
    assert (right["found"], right["paper"]) == (1, 1)
    assert right["scale_error"] < 0.04
    assert right["lines_error_deg"] < 0.01
    off = truth.copy()
    off[TRUTHS.index("angle")] += np.radians(90)  # a quarter: the lines are the same
    off[TRUTHS.index("scale")] += 1.0
    wrong = _judged(torch.from_numpy(truth), perfect(off))
    assert wrong["found"] == 0
    assert wrong["lines_error_deg"] < 0.01
    assert wrong["scale_error"] == pytest.approx(1.0, abs=0.08)


def test_views_beside_the_page_are_not_judged():
    nothing = torch.full((len(TRUTHS), 10, 10), torch.nan)
    nothing[0] = 0
    assert _judged(nothing, perfect(nothing.numpy())) == {}


def test_two_processes_have_the_loss_and_the_gradient_of_one():
    torch.manual_seed(0)
    data = PageDataset(Simulator(4, seed=0, duration_s=10.0), 160, 4, {"clean": 1.0}, 1, 4)
    items = [data[0], data[1]]
    task = PageTask().eval()  # batch norm takes statistics of a batch otherwise
    whole = task._step(default_collate(items))[0]

    def share(rank):
        loss = task._step(default_collate([items[rank]]))[0]
        return float(loss.detach()), gradient(task, loss)

    shares = in_two(share)
    assert [loss for loss, _ in shares] == pytest.approx([float(whole.detach())] * 2, rel=1e-5)
    wanted = gradient(task, whole)
    assert float((sum(g for _, g in shares) / 2 - wanted).norm()) < 1e-4 * float(wanted.norm())
