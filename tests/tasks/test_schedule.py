import pytest
import torch

from ecgdig.tasks.schedule import cosine


def test_the_rate_rises_and_falls():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    made = cosine(optimizer, 1000)
    assert made["interval"] == "step"
    rates = []
    for _ in range(1000):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        made["scheduler"].step()
    assert rates[0] == pytest.approx(0.1, rel=0.01)  # a 20th: it rises over 20 steps
    assert max(rates) == pytest.approx(2.0, rel=0.01)
    assert rates.index(max(rates)) == 19
    assert rates[500] == pytest.approx(1.01, rel=0.01)
    assert rates[-1] == pytest.approx(0.02, rel=0.01)
