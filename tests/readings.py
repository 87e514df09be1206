"""Readings of many pages without a page: recordings and the same with noise, for tests of scores and reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ecgdig.io import write_csv, write_wfdb
from ecgdig.metrics import score_recording
from ecgdig.recording import Recording
from ecgdig.scoring.results import PageResult
from ecgdig.sources import Simulator

FACTS = ({"preset": "clean", "layout": "3x4", "dpi": 200.0}, {"preset": "scan", "layout": "12x1", "dpi": 130.0})
FOLDED = (None, 0.2, None, 0.5, None, 0.9)  # how strongly each of six pages is; pages that are not have nothing done


def recording(i: int) -> Recording:
    """2 s of patient `i` at 250 Hz."""
    return Simulator(i + 1, seed=6)[i].crop(1, 2).resample(250)


def reading(truth: Recording, noise_mv: float, seed: int = 0) -> Recording:
    """The truth with white noise and honest error bars."""
    noise = np.random.default_rng(seed).normal(0, noise_mv, truth.signal_mv.shape).astype(np.float32)
    sigma = np.full_like(noise, noise_mv)
    return Recording(truth.leads, truth.fs, truth.signal_mv + noise, sigma, truth.name)


def results(n: int = 6, noise_mv: float = 0.03) -> list[PageResult]:
    """Pages that get worse; the last was not read."""
    out = []
    for i in range(n):
        truth = recording(i)
        read = reading(truth, noise_mv * (i + 1), i) if i < n - 1 else None
        error = "" if read else "no grid <b>found</b>"
        oracle = score_recording(truth, reading(truth, 0.002, i))
        strength = FOLDED[i % 6]
        facts = {**FACTS[i % 2], "degradations": {} if strength is None else {"folds": strength}}
        out.append(PageResult(i, score_recording(truth, read), oracle, error, facts))
    return out


def folders(at: Path, n: int = 5) -> tuple[str, str]:
    """Folders of predictions and truths of `n` pages; of the last there is no prediction, and one fits no truth."""
    for i in range(n):
        truth = recording(i)
        write_wfdb(truth, at / "truth", f"page{i}")
        read = reading(truth, 0.02 * (i + 1), i)
        if i % 2:
            write_csv(read.resample(500), at / "read" / f"page{i}.csv")
        elif i < n - 1:
            write_wfdb(read.select(read.leads[::-1]), at / "read", f"page{i}")
    write_csv(recording(0), at / "read" / "stray.csv")
    (at / "read" / "summary.csv").write_text("page,layout\npage0,3x4\n")
    return str(at / "read"), str(at / "truth")
