"""How good is a reading? Signal-to-noise ratios, errors, beats, honesty of the error bars; no torch in here."""

from ecgdig.metrics.agreement import coverage, einthoven_residual_mv, error_95_mv, pearson_r, rmse_mv
from ecgdig.metrics.beats import BeatAgreement, beat_agreement
from ecgdig.metrics.bootstrap import bootstrap_interval
from ecgdig.metrics.calibration import SIGMA_STEPS, calibration_curve, expected_shares, interval_coverage, sigma_hits
from ecgdig.metrics.score import LEAD_METRICS, PAGE_METRICS, SNR_CAP_DB, RecordScore, score_recording, summarise
from ecgdig.metrics.snr import snr_challenge_db, snr_db, snr_kaggle_db, snr_page_db
from ecgdig.metrics.waves import BeatIntervals, beat_intervals

__all__ = [
    "LEAD_METRICS",
    "PAGE_METRICS",
    "SIGMA_STEPS",
    "SNR_CAP_DB",
    "BeatAgreement",
    "BeatIntervals",
    "RecordScore",
    "beat_agreement",
    "beat_intervals",
    "bootstrap_interval",
    "calibration_curve",
    "coverage",
    "einthoven_residual_mv",
    "error_95_mv",
    "expected_shares",
    "interval_coverage",
    "pearson_r",
    "rmse_mv",
    "score_recording",
    "sigma_hits",
    "snr_challenge_db",
    "snr_db",
    "snr_kaggle_db",
    "snr_page_db",
    "summarise",
]
