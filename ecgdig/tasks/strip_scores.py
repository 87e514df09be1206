"""How well strips are read, over all processes of a DDP run."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from ecgdig.metrics import interval_coverage
from ecgdig.units import LEADS

_SHORTEST = 64  # columns; the SNR of a shorter stretch says little ...
_LEAST_POWER = 1e-3  # ... and so does that of a flat one; mV², summed over its columns


class StripScores(Metric):
    """SNR, coverage, failures and calibration of validation strips.

    A stretch is the part of a strip that is one lead. The SNR of a lead in dB is over all columns of its stretches,
    each less its own mean; missing reads as 0. Errors are held against sigma after each stretch's median error, as
    `metrics.score_recording` does with leads.
    """

    full_state_update = False
    signal: Tensor  # (12,) sum of squares of the true values
    error: Tensor  # (12,) sum of squares of the differences
    read: Tensor  # columns that were read ...
    printed: Tensor  # ... of so many
    failures: Tensor  # strips with something printed of which no column was read
    inside: Tensor  # columns whose truth lies within the 90 % interval ...
    judged: Tensor  # ... of so many
    stretches: list[Tensor]  # SNR in dB of each stretch

    def __init__(self) -> None:
        super().__init__()
        for name in ("signal", "error"):
            self.add_state(name, torch.zeros(len(LEADS), dtype=torch.float64), dist_reduce_fx="sum")
        for name in ("read", "printed", "failures", "inside", "judged"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("stretches", [], dist_reduce_fx="cat")

    def update(self, reference: np.ndarray, estimate: np.ndarray, sigma: np.ndarray, lead: np.ndarray) -> None:
        """One strip, `(columns,)` each.

        Args:
            reference, estimate: heights in mV; NaN = not printed or not read.
            sigma: standard error of the estimate in mV.
            lead: its number in `units.LEADS`, -1 = none of them.
        """
        scored = (lead >= 0) & np.isfinite(reference)
        self.failures += int(scored.any() and not np.isfinite(estimate[scored]).any())
        for k in np.unique(lead[scored]):
            here = scored & (lead == k)
            self._stretch(int(k), reference[here], estimate[here], sigma[here])

    def _stretch(self, k: int, reference: np.ndarray, estimate: np.ndarray, sigma: np.ndarray) -> None:
        seen = np.isfinite(estimate)
        r = reference - reference.mean()
        e = np.where(seen, estimate - (estimate[seen].mean() if seen.any() else 0.0), 0.0)
        power, error = float((r**2).sum()), float(((r - e) ** 2).sum())
        self.signal[k] += power
        self.error[k] += error
        self.read += int(seen.sum())
        self.printed += seen.size
        if power > _LEAST_POWER and seen.size >= _SHORTEST:
            ratio = 10 * np.log10(power / max(error, 1e-12))
            self.stretches.append(torch.tensor([min(float(ratio), 60.0)], device=self.signal.device))
        if seen.any():
            off = estimate[seen] - reference[seen]
            share = interval_coverage(np.zeros(off.size), off - np.median(off), sigma[seen], level=0.9)
            self.inside += share * off.size
            self.judged += off.size

    def compute(self) -> dict[str, Tensor]:
        """`snr_db/<lead>`, their mean `snr_db`, the median over stretches `snr_db_median`, `coverage`, `failures`.

        And `interval_90_coverage`, ideally 0.9; absent where nothing was read.
        """
        db = 10 * torch.log10(self.signal.clamp(min=1e-12) / self.error.clamp(min=1e-12))
        seen = self.signal > 0
        out = {f"snr_db/{lead}": value for lead, value, there in zip(LEADS, db, seen, strict=True) if there}
        out["snr_db"] = db[seen].mean() if seen.any() else torch.tensor(0.0)
        out["snr_db_median"] = dim_zero_cat(self.stretches if len(self.stretches) else [torch.zeros(1)]).median()
        out["coverage"] = self.read / self.printed.clamp(min=1)
        out["failures"] = self.failures
        if self.judged:
            out["interval_90_coverage"] = self.inside / self.judged
        return {name: value.float() for name, value in out.items()}
