from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from ecgdig.data import StripDataset
from ecgdig.sources import Simulator
from ecgdig.strip import StripSpec
from ecgdig.tasks import TraceOutput, TraceTask
from ecgdig.vectorize import said_error

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


def test_validation_holds_errors_against_what_the_network_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gaussians of 3 px about heights that are off as much as `said_error` makes of that: 90 % lie within 1.645."""
    data = StripDataset(Simulator(8, seed=0, duration_s=4.0), SPEC, 128, {"clean": 1.0}, 0, 8, in_order=True)
    batch = default_collate([data[i] for i in range(8)])
    task, spread_px = TraceTask(**TINY, **SIZE), 3.0
    noise = torch.randn(batch["height_px"].shape, generator=torch.Generator().manual_seed(0))
    off_px = float(said_error(np.array([spread_px / SPEC.px_per_mm_y]))[0]) * SPEC.px_per_mm_y * noise
    there = torch.isfinite(batch["height_px"])
    centre = torch.nan_to_num(batch["height_px"] + off_px).clamp(10, SPEC.height_px - 11)[:, None]
    rows = torch.arange(SPEC.height_px)[None, :, None]
    printed = torch.where(there, 9.0, -9.0)

    def validated(present: torch.Tensor) -> dict[str, float]:
        out = TraceOutput(-0.5 * ((rows - centre) / spread_px) ** 2, present, torch.zeros(batch["mask"].shape))
        monkeypatch.setattr(task, "forward", lambda strips: out)
        task.scores.reset()
        task.validation_step(batch, 0)
        return {name: float(value) for name, value in task.scores.compute().items()}

    monkeypatch.setattr(task, "log", lambda *what, **how: None)
    values = validated(printed)
    assert values["coverage"] > 0.95
    assert values["failures"] == 0
    assert values["interval_90_coverage"] == pytest.approx(0.9, abs=0.04)
    nothing = validated(torch.full_like(printed, -9.0))
    assert (nothing["failures"], nothing["coverage"]) == (int(there.any(1).sum()), 0)
