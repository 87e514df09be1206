"""`python scripts/digitize.py IMAGE... --out DIR`: read scans and write records, summaries and overlays."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ecgdig.digitizer import Digitization, digitize
from ecgdig.hub import DEFAULT, CheckpointError, TraceModel, load
from ecgdig.io import safe_name, write_wfdb
from ecgdig.io.atomic import whole_file
from ecgdig.io.image import SUFFIXES, read_image
from ecgdig.report import overlay


def main(args: Sequence[str] | None = None) -> None:
    """Read each image; bad ones are reported on a line each and the rest is done.

    Raises:
        SystemExit: 1 when an image could not be read, 2 for a bad option or checkpoint.
    """
    options = _parser().parse_args(args)
    try:
        model = load(options.checkpoint)
        images = _images(options.images)
    except (CheckpointError, FileNotFoundError) as error:
        print(f"digitize: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    failed = 0
    for path, name in zip(images, _names(images), strict=True):
        try:
            digitized = _read(path, name, model, options)
        except ValueError as error:  # ImageError, GeometryError and what they wrap are ValueErrors
            failed += 1
            line = str(error).replace("\n", " ")
            print(line if str(path) in line else f"{path}: {line}", file=sys.stderr)
            continue
        print(summary_line(path, digitized), flush=True)
    if failed:
        print(f"digitize: {failed} of {len(images)} images could not be read", file=sys.stderr)
        raise SystemExit(1)


def save(digitized: Digitization, image: np.ndarray[Any, np.dtype[np.uint8]], folder: Path, name: str) -> None:
    """Write NAME.hea and .dat, NAME_overlay.png and, last, NAME.json, each whole or not at all."""
    write_wfdb(digitized.recording, folder, name)
    with whole_file(folder / f"{name}_overlay.png") as file:
        if not cv2.imwrite(str(file), overlay(image, digitized)[..., ::-1]):
            raise OSError(f"cannot write {file}")
    with whole_file(folder / f"{name}.json") as file:
        file.write_text(json.dumps(describe(digitized), indent=1) + "\n")


def describe(digitized: Digitization) -> dict[str, Any]:
    """The reading in plain JSON: layout, scale, quality per lead, warnings and what read it."""
    layout, recording = digitized.layout, digitized.recording
    s = layout.segments[0]
    covered = digitized.coverage()
    sigma = recording.sigma_mv if recording.sigma_mv is not None else np.full_like(recording.signal_mv, np.nan)
    leads = {}
    for i, lead in enumerate(recording.leads):
        known = np.isfinite(recording.signal_mv[i])
        leads[lead] = {
            "coverage": round(covered[lead], 4),
            "sigma_mv": round(float(sigma[i][known].mean()), 4) if known.any() else None,
        }
    return {
        "layout": layout.name,
        "speed_mm_per_s": s.speed_mm_per_s,
        "gain_mm_per_mv": s.gain_mm_per_mv,
        "px_per_mm": round(float(digitized.warp.px_per_mm([s.x_mm, s.baseline_mm])), 4),
        "fs": recording.fs,
        "segments": [
            {"lead": t.lead, "row": t.row, "start_s": round(t.start_s, 4), "duration_s": round(t.duration_s, 4)}
            for t in layout.segments
        ],
        "leads": leads,
        "warnings": list(digitized.warnings),
        "checkpoint": {"name": digitized.checkpoint[0], "sha256": digitized.checkpoint[1]},
    }


def summary_line(path: Path, digitized: Digitization) -> str:
    """One line for the terminal."""
    s = digitized.layout.segments[0]
    printed = {t.lead.lstrip("-") for t in digitized.layout.segments}
    covered = [share for lead, share in digitized.coverage().items() if lead in printed]
    text = (
        f"{path}: {digitized.layout.name}, {s.speed_mm_per_s:g} mm/s, {s.gain_mm_per_mv:g} mm/mV, "
        f"{len(printed)} leads, {np.mean(covered):.1%} read"
    )
    return text + "".join(f"\n  warning: {warning}" for warning in digitized.warnings)


def _read(path: Path, name: str, model: TraceModel, options: argparse.Namespace) -> Digitization:
    image = read_image(path)
    digitized = digitize(
        image,
        model,
        layout=options.layout,
        speed_mm_per_s=options.speed,
        gain_mm_per_mv=options.gain,
        name=name,
    )
    save(digitized, image, Path(options.out), name)
    return digitized


def _images(paths: Sequence[str]) -> list[Path]:
    found: list[Path] = []
    for text in paths:
        path = Path(text)
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
            if not inside:
                raise FileNotFoundError(f"{path}: no picture in this folder ({', '.join(SUFFIXES)})")
            found += inside
        else:
            found.append(path)
    return found


def _names(paths: Sequence[Path]) -> list[str]:
    """A record name for each image, none twice."""
    names: list[str] = []
    for path in paths:
        name = base = safe_name(path.stem)
        n = 2
        while name in names:
            name, n = f"{base}-{n}", n + 1
        names.append(name)
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digitize", description="Read scans of ECG pages into WFDB records (12 leads, 500 Hz, mV)."
    )
    parser.add_argument(
        "images", nargs="+", metavar="IMAGE", help=f"pictures ({', '.join(SUFFIXES)}) or folders of them"
    )
    parser.add_argument("--out", required=True, help="folder for NAME.hea, NAME.dat, NAME.json and NAME_overlay.png")
    parser.add_argument("--checkpoint", default=DEFAULT, help=f"name, folder or .ckpt file (default: {DEFAULT})")
    parser.add_argument("--layout", help="what is printed, if you know: 3x4, 3x4+1, 3x4+3, 6x2, 12x1 ...")
    parser.add_argument("--speed", type=float, help="paper speed in mm/s, if you know")
    parser.add_argument("--gain", type=float, help="gain in mm/mV, if you know")
    return parser
