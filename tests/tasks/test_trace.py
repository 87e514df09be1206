from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from ecgdig.data import StripDataset
from ecgdig.sources import Simulator
from ecgdig.strip import StripSpec
from ecgdig.tasks import TraceTask
from ecgdig.tasks.trace import LeadSnr
from ecgdig.units import LEADS

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


def snr(reference: np.ndarray, estimate: np.ndarray, lead: np.ndarray) -> dict[str, float]:
    metric = LeadSnr()
    metric.update(reference, estimate, lead)
    return {name: float(value) for name, value in metric.compute().items()}


T = np.arange(400) / 20
WAVE = np.sin(T)
ALL_II = np.full(400, LEADS.index("II"))


def test_snr_of_known_errors() -> None:
    values = snr(WAVE, WAVE + 0.1 * np.cos(7 * T), ALL_II)
    r, e = WAVE - WAVE.mean(), 0.1 * (np.cos(7 * T) - np.cos(7 * T).mean())
    expected = 10 * np.log10((r**2).sum() / (e**2).sum())
    assert values["snr_db/II"] == values["snr_db"] == pytest.approx(expected, abs=1e-3)
    assert values["snr_db_median"] == pytest.approx(expected, abs=1e-3)
    assert values["coverage"] == 1
    assert set(values) == {"snr_db/II", "snr_db", "snr_db_median", "coverage"}


@pytest.mark.parametrize(
    "estimate, expected",
    [
        (WAVE + 5.0, 60.0),  # a constant offset does not count; capped in the median
        (np.zeros(400), 0.0),
        (np.full(400, np.nan), 0.0),  # missing reads as 0
        (2 * WAVE, 0.0),
    ],
    ids=["offset", "flat", "missing", "twice"],
)
def test_snr_of_degenerate_answers(estimate: np.ndarray, expected: float) -> None:
    values = snr(WAVE, estimate, ALL_II)
    assert values["snr_db_median"] == pytest.approx(expected, abs=0.01)
    assert np.isfinite(values["snr_db"])
    assert values["coverage"] == np.isfinite(estimate).mean()


def test_each_lead_has_its_own_and_unknown_columns_do_not_count() -> None:
    lead = np.repeat([LEADS.index("V1"), -1, LEADS.index("V6"), LEADS.index("I")], 100)
    reference = np.where(np.arange(400) < 300, WAVE, np.nan)
    estimate = WAVE * np.repeat([0.9, 7.0, 0.0, 3.0], 100)
    values = snr(reference, estimate, lead)
    assert values["snr_db/V1"] == pytest.approx(20.0, abs=0.01)
    assert values["snr_db/V6"] == pytest.approx(0.0, abs=0.01)
    assert "snr_db/I" not in values
    assert values["snr_db"] == pytest.approx(10.0, abs=0.01)


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_strips_add_up_and_nothing_at_all_is_finite() -> None:
    metric = LeadSnr()
    metric.update(WAVE, 0.9 * WAVE, ALL_II)
    metric.update(WAVE, 0.0 * WAVE, ALL_II)
    power = ((WAVE - WAVE.mean()) ** 2).sum()
    assert float(metric.compute()["snr_db/II"]) == pytest.approx(10 * np.log10(2 * power / (1.01 * power)), abs=1e-3)
    metric.reset()
    assert {name: float(v) for name, v in metric.compute().items()} == {
        "snr_db": 0,
        "snr_db_median": 0,
        "coverage": 0,
    }
    assert snr(np.ones(400), np.ones(400), ALL_II)["snr_db"] == 0  # a flat lead has no SNR
