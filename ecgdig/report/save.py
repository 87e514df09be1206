"""A reading as files: the recording, a summary in JSON and the overlay."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ecgdig import __version__
from ecgdig.digitizer import Digitization
from ecgdig.formats import DEFAULT_FORMATS, About, check_formats, write_recording
from ecgdig.io import safe_name
from ecgdig.io.atomic import whole_file


def save(
    digitized: Digitization,
    path: str | os.PathLike[str],
    formats: Sequence[str] = DEFAULT_FORMATS,
    about: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write PATH in the formats asked for, PATH_overlay.png and, last, PATH.json, each whole or not at all.

    Args:
        path: folder and name; what WFDB forbids in names becomes `_`.
        formats: names of `ecgdig.formats.FORMATS`.
        about: more entries for the JSON.

    Returns:
        the files, the JSON last: where it stands, all others do.
    """
    formats = check_formats(formats)
    folder, name = Path(path).parent, safe_name(Path(path).name)
    (folder / f"{name}.json").unlink(missing_ok=True)  # of an earlier run: it would vouch for a half-written set
    written = write_recording(digitized.recording, path, formats, About.of(digitized))
    with whole_file(folder / f"{name}_overlay.png") as file:
        if not cv2.imwrite(str(file), digitized.overlay()[..., ::-1]):
            raise OSError(f"cannot write {file}")
    with whole_file(folder / f"{name}.json") as file:
        file.write_text(json.dumps({**describe(digitized), **(about or {})}, indent=1) + "\n")
    return [*written, folder / f"{name}_overlay.png", folder / f"{name}.json"]


def describe(digitized: Digitization) -> dict[str, Any]:
    """The reading in plain JSON: layout, scale, quality of each lead, warnings and what read it."""
    layout, recording = digitized.layout, digitized.recording
    s = layout.segments[0]
    covered, quality = digitized.coverage(), digitized.quality
    return {
        "layout": layout.name,
        "speed_mm_per_s": s.speed_mm_per_s,
        "gain_mm_per_mv": layout.gains_mm_per_mv[0],
        "chest_gain_mm_per_mv": layout.gains_mm_per_mv[-1],
        "px_per_mm": round(float(digitized.warp.px_per_mm([s.x_mm, s.baseline_mm])), 4),
        "turned_deg": digitized.turned_deg,
        "drawn_hz": digitized.drawn_hz,
        "fs": recording.fs,
        "units": "mV",
        "n_samples": recording.n_samples,
        "coverage": round(mean_coverage(digitized), 4),
        "sigma_mv": _mean(digitized.sigma_mv),
        "doubtful": bool(digitized.doubts),
        "segments": [
            {"lead": t.lead, "row": t.row, "start_s": round(t.start_s, 4), "duration_s": round(t.duration_s, 4)}
            for t in layout.segments
        ],
        "leads": {
            lead: {
                "quality": quality.get(lead, "not printed"),
                "coverage": round(covered[lead], 4),
                "sigma_mv": _mean(digitized.sigma_mv[i]),
            }
            for i, lead in enumerate(recording.leads)
        },
        "warnings": list(digitized.warnings),
        "edits": [dict(edit) for edit in digitized.edits],
        "checkpoint": {"name": digitized.checkpoint[0], "sha256": digitized.checkpoint[1]},
        "ecgdig": __version__,
    }


def mean_coverage(digitized: Digitization) -> float:
    """Of what the layout says is printed, the share that was read; mean over the leads."""
    covered = digitized.coverage()
    return float(np.mean([covered[lead] for lead in digitized.printed]))


def _mean(sigma: np.ndarray[Any, np.dtype[np.float32]]) -> float | None:
    known = sigma[np.isfinite(sigma)]
    return round(float(known.mean()), 4) if known.size else None
