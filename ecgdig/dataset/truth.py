"""The truth of a page in two small parts: a WFDB record of what is printed, and NAME.npz with everything else.

NAME.npz is a zip file of

- `page.json`: layout, style, marks, warp, window, image size, the drawn degradations (`ecgdig.dataset.plain`), and for
  each trace the x of its points as (first mm, step mm, count), and its stretches without ink as (first, end) points;
- `residual.npy`: all traces' heights, one after the other, as whole steps of `step_mm` from what the record says at
  that time (straight between its samples). A record that holds the very points, as it does for most pens, leaves
  zeros. `_UNKNOWN` lifts the pen.

A step is 0.1 px at the page's largest scale, so every point of a polyline comes back to 0.05 px.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgdig.dataset.plain import of_plain, to_plain
from ecgdig.dataset.record_bytes import record_bytes
from ecgdig.io import read_wfdb
from ecgdig.page.layout import Segment
from ecgdig.page.page import Page, Trace
from ecgdig.recording import Recording

STEP_PX = 0.1
_FORMAT = 1
_APART = ("image", "traces", "source")  # fields of a page that are stored in another way; all others go into page.json
_UNKNOWN = -(2**31)
_DATE = (1980, 1, 1, 0, 0, 0)  # the same bytes whenever it is written


class TruthError(ValueError):
    """A truth file that cannot be read; the message is one line and names the file and the remedy."""


@dataclass(frozen=True)
class Truth:
    """What was read: the page (without picture: a blank of the right size), what is printed, what was drawn."""

    page: Page
    recording: Recording
    drawn: Mapping[str, Any]


def truth_bytes(page: Page, drawn: Mapping[str, Any], name: str) -> dict[str, bytes]:
    """The files that hold a page's truth: file name -> content; `NAME.npz` first, the record's header last."""
    recording = page.recording()
    record, stored = record_bytes(recording, name)
    printed = Recording(recording.leads, recording.fs, stored)
    step_mm = STEP_PX / _largest_scale(page)
    axes, residuals = [], [np.empty(0, np.int64)]
    arrays: dict[str, NDArray[Any]] = {}
    for i, trace in enumerate(page.traces):
        first, pace, n = _axis(trace.x_mm)
        exact = bool(np.abs(first + pace * np.arange(n) - trace.x_mm).max(initial=0.0) < 1e-6)
        if not exact:
            arrays[f"x_{i}"] = trace.x_mm
        axes.append((first, pace, n, exact))
        residuals.append(_residual(trace, _predicted(trace.segment, trace.x_mm, printed), step_mm))
    residual = np.concatenate(residuals)
    arrays["residual"] = residual if _beyond_16_bits(residual) else _narrow(residual)
    plain = {
        "format": _FORMAT,
        "shape": list(page.shape),
        "step_mm": step_mm,
        "segments": to_plain([trace.segment for trace in page.traces]),
        "axes": to_plain(axes),
        "without_ink": to_plain([_stretches(trace) for trace in page.traces]),
        "drawn": to_plain(dict(drawn)),
        **{f.name: to_plain(getattr(page, f.name)) for f in fields(page) if f.name not in _APART},
    }
    return {f"{name}.npz": _zip(json.dumps(plain, allow_nan=False), arrays), **record}


def read_truth(file: Path) -> Truth:
    """Read NAME.npz and the record NAME beside it.

    Raises:
        TruthError: no such file, damaged, or of another format.
    """
    try:
        with np.load(file) as archive:
            plain = json.loads(archive["page.json"])
            arrays = {key: archive[key] for key in archive.files if key != "page.json"}
        if plain.pop("format") != _FORMAT:
            raise ValueError("another format; read it with the version that wrote it")
        recording = read_wfdb(file.with_suffix(".hea"))
        values = {key: of_plain(value) for key, value in plain.items()}
        shape, drawn, step_mm = values.pop("shape"), values.pop("drawn"), values.pop("step_mm")
        segments, axes = values.pop("segments"), values.pop("axes")
        gaps = values.pop("without_ink", ((),) * len(segments))
        traces = _traces(segments, axes, arrays, recording, step_mm)
        traces = tuple(_with_gaps(trace, stretches) for trace, stretches in zip(traces, gaps, strict=True))
        blank = np.broadcast_to(np.uint8(255), (*shape, 3))
        return Truth(Page(image=blank, traces=traces, **values), recording, drawn)
    except FileNotFoundError:
        raise TruthError(f"{file}: no such file; render the page again") from None
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise TruthError(f"{file}: not readable as the truth of a page ({error}); render the page again") from None


def _traces(
    segments: tuple[Segment, ...],
    axes: tuple[tuple[float, float, int, bool], ...],
    arrays: Mapping[str, NDArray[Any]],
    recording: Recording,
    step_mm: float,
) -> tuple[Trace, ...]:
    residual = arrays["residual"].astype(np.int64)
    unknown = _UNKNOWN if arrays["residual"].dtype.itemsize > 2 else np.iinfo(np.int16).min
    traces, at = [], 0
    for i, (segment, (first, pace, n, exact)) in enumerate(zip(segments, axes, strict=True)):
        x_mm = np.asarray(first + pace * np.arange(n) if exact else arrays[f"x_{i}"], np.float64)
        steps = residual[at : at + n]
        y_mm = _predicted(segment, x_mm, recording) + steps * step_mm
        traces.append(Trace(segment, x_mm, np.where(steps == unknown, np.nan, y_mm)))
        at += n
    return tuple(traces)


def _stretches(trace: Trace) -> list[tuple[int, int]]:
    """Where a trace has no ink: first point, and the one behind the last."""
    if trace.inked is None:
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[True], trace.inked, [True]])))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def _with_gaps(trace: Trace, stretches: tuple[tuple[int, int], ...]) -> Trace:
    if not stretches:
        return trace
    inked = np.ones(trace.x_mm.size, bool)
    for first, end in stretches:
        inked[first:end] = False
    return replace(trace, inked=inked)


def _predicted(segment: Segment, x_mm: NDArray[np.float64], printed: Recording) -> NDArray[np.float64]:
    """Height (mm) at `x_mm` by the record, straight between its known samples; the baseline where it has none."""
    lead = printed.lead(segment.lead)
    known = np.flatnonzero(np.isfinite(lead))
    if known.size == 0:
        return np.full(x_mm.shape, segment.baseline_mm)
    return segment.y_of(np.interp(segment.time_of(x_mm) * printed.fs, known, lead[known].astype(np.float64)))


def _residual(trace: Trace, predicted: NDArray[np.float64], step_mm: float) -> NDArray[np.int64]:
    steps = np.round((trace.y_mm - predicted) / step_mm)
    return np.where(np.isfinite(steps), steps, _UNKNOWN).astype(np.int64)


def _beyond_16_bits(residual: NDArray[np.int64]) -> bool:
    return bool(np.abs(residual[residual != _UNKNOWN]).max(initial=0) > np.iinfo(np.int16).max)


def _narrow(residual: NDArray[np.int64]) -> NDArray[np.int16]:
    return np.where(residual == _UNKNOWN, np.iinfo(np.int16).min, residual).astype(np.int16)


def _axis(x_mm: NDArray[np.float64]) -> tuple[float, float, int]:
    if x_mm.size < 2:
        return (float(x_mm[0]) if x_mm.size else 0.0), 0.0, int(x_mm.size)
    return float(x_mm[0]), float((x_mm[-1] - x_mm[0]) / (x_mm.size - 1)), int(x_mm.size)


def _largest_scale(page: Page) -> float:
    """The most px a millimetre has anywhere on the sheet, along any direction (1 % is added for what lies between)."""
    left, top, right, bottom = page.window_mm
    at = np.stack(np.meshgrid(np.linspace(left, right, 9), np.linspace(top, bottom, 7)), -1).reshape(-1, 2)
    sides = [(page.warp.to_px(at + d) - page.warp.to_px(at - d)) / 0.2 for d in ([0.1, 0.0], [0.0, 0.1])]
    stretch = np.linalg.norm(np.stack(sides, -1), ord=2, axis=(1, 2))
    return float(1.01 * np.nanmax(stretch))


def _zip(page_json: str, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr(_entry("page.json"), page_json)
        for key, array in arrays.items():
            raw = io.BytesIO()
            np.save(raw, array, allow_pickle=False)
            archive.writestr(_entry(f"{key}.npy"), raw.getvalue())
    return buffer.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info
