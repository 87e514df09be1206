from __future__ import annotations

import torch
from torch.utils.data import default_collate

from ecgdig.data import StripDataset
from ecgdig.sources import Simulator
from ecgdig.strip import StripSpec
from ecgdig.tasks import TraceTask

SPEC = StripSpec(half_height_mm=8.0, px_per_mm_x=4.0, px_per_mm_y=4.0)
TINY = {"encoder": "resnet18", "depth": 2, "decoder_channels": [16, 16], "block": 2, "features": 3, "refine": 6}
SIZE = {"half_height_mm": 8.0, "px_per_mm_x": 4.0, "px_per_mm_y": 4.0}


def test_the_loss_falls_when_it_sees_one_batch_again_and_again() -> None:
    torch.manual_seed(0)
    data = StripDataset(Simulator(8, seed=0, duration_s=4.0), SPEC, 64, {"clean": 1.0}, 0, 8, in_order=True)
    batch = default_collate([data[i] for i in range(4)])
    task = TraceTask(**TINY, **SIZE)
    optimizer = torch.optim.AdamW(task.parameters(), lr=1e-2)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = task._total(task._losses(task(batch["image"]), batch))
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.4 * losses[0]


def test_the_spec_is_that_of_the_strips_it_reads() -> None:
    assert TraceTask(**TINY, **SIZE).spec == SPEC
    assert TraceTask(**TINY).spec == StripSpec()
