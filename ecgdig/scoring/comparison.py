"""Two results of the same pages, page by page."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ecgdig.metrics import PAGE_METRICS, bootstrap_interval

_LATER = ("qrs_duration_error_s", "qt_error_s")  # results written before 2026-11-28 lack them
SMALLER_IS_BETTER = ("rmse_mv", "error_95_mv", "rr_error_s", *_LATER, "einthoven_residual_mv")
COMPARED = (
    "snr_db", "snr_page_db", "snr_kaggle_db", "snr_challenge_db", "pearson_r", "rmse_mv", "error_95_mv", "coverage",
    "qrs_sensitivity", "rr_error_s", *_LATER, "einthoven_residual_mv",
)  # fmt: skip
_TIE = 1e-9  # smaller differences are rounding


def read_summary(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What `eval_snr.py --json` wrote.

    Raises:
        ValueError: no such file, or another one; the message names it.
    """
    file = Path(path)
    try:
        summary = json.loads(file.read_text(encoding="utf-8"))
        for page in summary["pages"]:
            if not (isinstance(page["name"], str) and set(PAGE_METRICS) - set(_LATER) <= set(page["metrics"])):
                raise KeyError
        summary["metrics"]["snr_db"]["mean"]
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror or error}; give a file that --json wrote") from None
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{file}: not a result of eval_snr.py; give a file that --json wrote") from None
    return dict(summary)


def compare(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """B less A on the pages that both have, matched by name (and order, where names repeat).

    Args:
        a, b: summaries, see `read_summary`.

    Returns:
        `metrics` (name -> `a` and `b`, the means over the pages where both are defined; `difference` of the means;
        `interval`, its 95 % bootstrap interval over pages, None for fewer than two; `wins`, `losses`, `ties` of B;
        `pages`), `pages` (name -> metric -> difference, None where undefined; order of A), `snr_db` (name -> [of A, of
        B]), `only_a`, `only_b` (names).

    Raises:
        ValueError: no page in common.
    """
    pages_a, pages_b = _by_name(a), _by_name(b)
    common = [key for key in pages_a if key in pages_b]
    if not common:
        raise ValueError("the two results have no page in common; compare results of the same pages")
    names = [_label(key) for key in common]
    metrics, differences = {}, {}
    for metric in COMPARED:
        of_a, of_b = (np.array([_number(pages[key].get(metric)) for key in common]) for pages in (pages_a, pages_b))
        differences[metric] = of_b - of_a
        metrics[metric] = _metric(metric, of_a, of_b)
    pages = {name: {m: _plain(differences[m][i]) for m in COMPARED} for i, name in enumerate(names)}
    only_a, only_b = ([_label(key) for key in x if key not in y] for x, y in ((pages_a, pages_b), (pages_b, pages_a)))
    snr = {name: [x[key]["snr_db"] for x in (pages_a, pages_b)] for name, key in zip(names, common, strict=True)}
    return {"metrics": metrics, "pages": pages, "snr_db": snr, "only_a": only_a, "only_b": only_b}


def _metric(name: str, of_a: np.ndarray[Any, Any], of_b: np.ndarray[Any, Any]) -> dict[str, Any]:
    both = np.isfinite(of_a) & np.isfinite(of_b)
    if not both.any():
        nothing = dict.fromkeys(("a", "b", "difference", "interval"))
        return {**nothing, "wins": 0, "losses": 0, "ties": 0, "pages": 0}
    difference = (of_b - of_a)[both]
    better = -difference if name in SMALLER_IS_BETTER else difference
    low, high = bootstrap_interval(difference)
    return {
        "a": float(of_a[both].mean()),
        "b": float(of_b[both].mean()),
        "difference": float(difference.mean()),
        "interval": None if np.isnan(low) else [low, high],
        "wins": int((better > _TIE).sum()),
        "losses": int((better < -_TIE).sum()),
        "ties": int((np.abs(better) <= _TIE).sum()),
        "pages": int(both.sum()),
    }


def _by_name(summary: Mapping[str, Any]) -> dict[tuple[str, int], dict[str, float | None]]:
    seen: Counter[str] = Counter()
    pages = {}
    for page in summary["pages"]:
        pages[page["name"], seen[page["name"]]] = page["metrics"]
        seen[page["name"]] += 1
    return pages


def _label(key: tuple[str, int]) -> str:
    name, repeat = key
    return f"{name} ({repeat + 1})" if repeat else name


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
