"""From a reference and an estimate to a page's score, and from scores to the summary that is reported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ecgdig.metrics.agreement import coverage, einthoven_residual_mv, error_95_mv, pearson_r, rmse_mv
from ecgdig.metrics.beats import beat_agreement
from ecgdig.metrics.calibration import interval_coverage, sigma_hits
from ecgdig.metrics.pairing import Array, paired
from ecgdig.metrics.snr import snr_challenge_db, snr_db, snr_kaggle_db, snr_page_db
from ecgdig.recording import Recording, canonical_lead

SNR_CAP_DB = 60.0  # where SNRs are averaged: one perfect lead must not drown the others

LEAD_METRICS = ("snr_db", "snr_challenge_db", "snr_kaggle_db", "pearson_r", "rmse_mv", "error_95_mv", "coverage")
PAGE_METRICS = (
    *LEAD_METRICS,
    "snr_page_db",
    "qrs_sensitivity",
    "qrs_precision",
    "rr_error_s",
    "heart_rate_error_bpm",
    "qrs_duration_error_s",
    "qt_error_s",
    "einthoven_residual_mv",
    "interval_90_coverage",
)


@dataclass(frozen=True)
class RecordScore:
    """How well one page was read.

    Attributes:
        name: of the reference recording.
        leads: lead name -> `LEAD_METRICS` -> value, for every scored lead; NaN = not defined, SNRs may be +inf.
        page: `PAGE_METRICS` -> value. `snr_db`, `snr_challenge_db` and `pearson_r` are means over the leads (SNRs
            capped at 60 dB); `snr_page_db`, `snr_kaggle_db`, `rmse_mv`, `error_95_mv` and `coverage` pool all samples
            of the page. `interval_90_coverage` is taken after the median difference of each lead. The beats are those
            of lead II, or of the longest scored lead where II is not scored.
        failed: nothing was read: no estimate, or not one scored sample.
        sigma_hits: how many samples lie within each of `calibration.SIGMA_STEPS` standard errors, and last how many
            count; taken as `interval_90_coverage`. Empty where there are no standard errors.
    """

    name: str
    leads: Mapping[str, Mapping[str, float]]
    page: Mapping[str, float]
    failed: bool
    sigma_hits: tuple[int, ...] = ()


def score_recording(reference: Recording, estimate: Recording | None) -> RecordScore:
    """Scores an estimate at the rate and on the leads of the reference.

    Args:
        reference: what is printed; NaN = not printed = not scored.
        estimate: what was read, resampled here if its rate differs. Leads are matched by their usual names
            (`AVR` is aVR, and -aVR is aVR upside down), absent ones count as missing, and leads that the reference
            does not have are ignored.
            None = the page could not be read: every SNR is 0 dB, as for an estimate of NaN only.

    Raises:
        ValueError: a reference without a single sample to score.
    """
    if not np.isfinite(reference.signal_mv).any():
        raise ValueError(f"reference {reference.name!r} has no known sample; there is nothing to score")
    reference = usual_leads(reference)
    read = _blank(reference) if estimate is None else usual_leads(estimate.resample(reference.fs))
    read = read.select(reference.leads)
    r, e = paired(reference.signal_mv, read.signal_mv)
    r_all, centred = r, _about_the_wave(r, e)
    scored = np.flatnonzero(np.isfinite(r).any(axis=1))
    leads = tuple(reference.leads[i] for i in scored)
    r, e = r[scored], e[scored]
    by_metric: dict[str, Array] = {
        "snr_db": snr_db(r, e),
        "snr_challenge_db": snr_challenge_db(r, e, reference.fs),
        "snr_kaggle_db": np.array([snr_kaggle_db(*lead, reference.fs) for lead in zip(r, e, strict=True)]),
        "pearson_r": pearson_r(r, e),
        "rmse_mv": rmse_mv(r, e),
        "error_95_mv": error_95_mv(r, e),
        "coverage": coverage(r, e),
    }
    page = {
        "snr_db": float(np.mean(_capped(by_metric["snr_db"]))),
        "snr_challenge_db": float(np.mean(_capped(by_metric["snr_challenge_db"]))),
        "snr_kaggle_db": snr_kaggle_db(r, e, reference.fs),
        "pearson_r": float(np.mean(by_metric["pearson_r"])),
        "rmse_mv": rmse_mv(r.ravel(), e.ravel()),
        "error_95_mv": error_95_mv(r.ravel(), e.ravel()),
        "coverage": coverage(r.ravel(), e.ravel()),
        "snr_page_db": snr_page_db(r, e),
        "einthoven_residual_mv": einthoven_residual_mv(read),
        "interval_90_coverage": _interval_90(r_all, centred, read),
        **_beats(leads, r, e, reference.fs),
    }
    per_lead = {lead: {name: float(v[i]) for name, v in by_metric.items()} for i, lead in enumerate(leads)}
    hits = () if read.sigma_mv is None else sigma_hits(r_all, centred, read.sigma_mv)
    return RecordScore(reference.name, per_lead, page, page["coverage"] == 0, hits)


def summarise(scores: Sequence[RecordScore]) -> dict[str, Any]:
    """The summary of many pages, ready for `json.dump`.

    Returns:
        `{"metrics": {name: {"mean", "sd", "median"}}, "per_lead": {lead: {name: mean}}, "failures": [name],
        "pages": [{"name", "failed", "metrics", "per_lead"}]}`. Statistics run over pages, those of `per_lead` over the
        pages where the lead is scored; failed pages take part with their 0 dB. SNRs are capped at 60 dB everywhere;
        the standard deviation is that of the pages at hand (ddof 0). `snr_kaggle_linear_db` is the competition's own
        ranking figure: the mean (and median) of the linear ratios, in dB; it has no sd. What is not defined is None
        and takes no part in a mean.

    Raises:
        ValueError: no scores.
    """
    if not scores:
        raise ValueError("no scores to summarise; score at least one recording")
    pages = [_page_summary(score) for score in scores]
    metrics = {name: _statistics(page["metrics"][name] for page in pages) for name in PAGE_METRICS}
    linear = [10 ** (page["metrics"]["snr_kaggle_db"] / 10) for page in pages]
    metrics["snr_kaggle_linear_db"] = {
        "mean": 10 * float(np.log10(np.mean(linear))),
        "sd": None,
        "median": 10 * float(np.log10(np.median(linear))),
    }
    leads = list(dict.fromkeys(lead for score in scores for lead in score.leads))
    per_lead = {
        lead: {
            name: _statistics(page["per_lead"][lead][name] for page in pages if lead in page["per_lead"])["mean"]
            for name in LEAD_METRICS
        }
        for lead in leads
    }
    failures = [score.name for score in scores if score.failed]
    return {"metrics": metrics, "per_lead": per_lead, "failures": failures, "pages": pages}


def _blank(reference: Recording) -> Recording:
    return replace(reference, signal_mv=np.full_like(reference.signal_mv, np.nan), sigma_mv=None)


def usual_leads(recording: Recording) -> Recording:
    """The recording with the usual lead names; leads printed upside down (-aVR) turned back."""
    sign = np.array([-1 if lead.strip().startswith("-") else 1 for lead in recording.leads], np.float32)
    names = tuple(canonical_lead(lead.strip().removeprefix("-")) for lead in recording.leads)
    return replace(recording, leads=names, signal_mv=recording.signal_mv * sign[:, None])


def _about_the_wave(reference: Array, estimate: Array) -> Array:
    """The estimate less each lead's median difference from the reference, `(n_leads, n_samples)`.

    Amplifiers of ECGs are AC-coupled: like the SNRs, the intervals are about the wave, not about its zero line.
    """
    off = estimate - reference
    middle = np.array([np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else 0.0 for row in off])
    centred: Array = estimate - middle[:, None]
    return centred


def _interval_90(reference: Array, centred: Array, read: Recording) -> float:
    return float("nan") if read.sigma_mv is None else interval_coverage(reference, centred, read.sigma_mv, level=0.9)


def _beats(leads: Sequence[str], reference: Array, estimate: Array, fs: float) -> dict[str, float]:
    longest = int(np.argmax(np.isfinite(reference).sum(axis=1)))
    row = leads.index("II") if "II" in leads else longest
    beats = beat_agreement(reference[row], estimate[row], fs)
    return {
        "qrs_sensitivity": beats.sensitivity,
        "qrs_precision": beats.precision,
        "rr_error_s": beats.rr_error_s,
        "heart_rate_error_bpm": beats.heart_rate_error_bpm,
        "qrs_duration_error_s": beats.qrs_duration_error_s,
        "qt_error_s": beats.qt_error_s,
    }


def _capped(snr: Array) -> Array:
    return np.minimum(snr, SNR_CAP_DB)


def _page_summary(score: RecordScore) -> dict[str, Any]:
    return {
        "name": score.name,
        "failed": score.failed,
        "metrics": {name: _json_number(name, score.page[name]) for name in PAGE_METRICS},
        "per_lead": {
            lead: {name: _json_number(name, values[name]) for name in LEAD_METRICS}
            for lead, values in score.leads.items()
        },
    }


def _json_number(name: str, value: float) -> float | None:
    """NaN as None, SNRs capped: JSON has neither NaN nor infinity."""
    if np.isnan(value):
        return None
    return min(value, SNR_CAP_DB) if name.startswith("snr_") else value


def _statistics(values: Iterable[float | None]) -> dict[str, float | None]:
    known = np.array([value for value in values if value is not None])
    if not known.size:
        return {"mean": None, "sd": None, "median": None}
    return {"mean": float(known.mean()), "sd": float(known.std()), "median": float(np.median(known))}
