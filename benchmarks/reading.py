"""Which lead is where: `python benchmarks/reading.py [--records DIR] [--preset scan ...] [--kind Cabrera ...]`.

Pages of known truth are drawn, and their rows, leads, speed and gain read; no network runs, so that a page takes a
second. By default the true geometry is given, so that only `ecgdig/locate` is judged; `--geometry found` finds it too.
Printed for each preset and kind of page: pages refused, layouts right, leads right (a segment that has the right name,
begins within 1.5 mm and lasts as long as it should), speed and gain right, and time zero within 0.1 mm, as the rows of
ink have it and as `time_zero` makes it of the true traces. `--save DIR` draws the pages that are misread.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade import PRESETS, degrade
from ecgdig.locate.known import as_scanned, on_grid
from ecgdig.locate.leads import LayoutReading
from ecgdig.locate.orientation import turned_mm, turned_px
from ecgdig.locate.place import place, settle
from ecgdig.locate.time_zero import time_zero
from ecgdig.page import Page, Style, render, sample_style
from ecgdig.page.furniture import pulse_room_mm
from ecgdig.page.layout import Layout, Placement, Segment, arrange
from ecgdig.page.plan import LeadPlan, cabrera_leads, column_plan, lead_plan
from ecgdig.page.sample import sample_layout
from ecgdig.page.warp import Warp
from ecgdig.recording import Recording
from ecgdig.sources import Simulator, Source, WfdbFolder
from ecgdig.units import CHEST_LEADS, LEADS, LIMB_LEADS
from ecgdig.vectorize import RowReading

Image = NDArray[np.uint8]
SEED = 2_000_033
USUAL = ("3x4", "3x4+1", "3x4+3", "6x2", "12x1")
KINDS: dict[str, dict[str, Any]] = {
    **{name: {"plan": name} for name in USUAL},
    "50 mm/s": {"speed": 50.0},
    "5 mm/mV": {"gain": 5.0},
    "20 mm/mV": {"gain": 20.0},
    "2.5 mm/mV": {"gain": 2.5},
    "mixed gain": {"chest": 5.0},
    "other strips": {"strips": True},
    "Cabrera": {"leads": cabrera_leads()},
    "at once": {"sequential": False},
    "few leads": {"few": True},
    "any": {},
    "turned": {"turned": True},
}
_RED, _BLUE = (220, 0, 0), (0, 0, 255)
NEAR_MM, NEAR_S, EXACT_MM = 1.5, 0.11, 0.1


@dataclass(frozen=True)
class Judged:
    """What is right of one page's reading; shares of its segments where it is a number."""

    refused: str = ""
    layout: bool = False
    leads: float = 0.0
    speed: bool = False
    gain: float = 0.0
    zero_mm: float = np.inf  # off in x, as the rows of ink have it, and as `time_zero` makes it
    measured_mm: float = np.inf
    upright: bool = False


def draw(recording: Recording, kind: str, preset: str, i: int) -> Page:
    """Page i of a kind, of random looks with a grid and random resolution; a pure function of its arguments."""
    rng = np.random.default_rng([SEED, zlib.crc32(f"{kind}/{preset}".encode()), i])
    style = sample_style(rng)
    while style.grid.kind == "none":
        style = sample_style(rng)
    layout = _layout(recording, style, KINDS[kind], i, rng) if kind != "any" else sample_layout(recording, style, rng)
    dpi = float(np.exp(rng.uniform(np.log(110), np.log(330))))
    return degrade(render(recording, layout, style, dpi, rng), preset, rng)


def _layout(recording: Recording, style: Style, wanted: dict[str, Any], i: int, rng: np.random.Generator) -> Layout:
    plan = _plan(wanted, i, rng)
    usual = sample_layout(recording, style, rng, plan, usual_scale=True)
    speed, first = wanted.get("speed", 25.0), usual.segments[0]
    left = first.x_mm + pulse_room_mm(style, speed) - pulse_room_mm(style, 25.0)
    row_mm = usual.row(1)[0].baseline_mm - first.baseline_mm if usual.n_rows > 1 else 30.0
    sheet = Placement(left, 4.0, first.baseline_mm, row_mm, sequential=wanted.get("sequential", True))
    return arrange(
        plan,
        usual.paper,
        sheet,
        duration_s=10.0,
        speed_mm_per_s=speed,
        gain_mm_per_mv=wanted.get("gain", 10.0),
        chest_gain_mm_per_mv=wanted.get("chest"),
    )


def _plan(wanted: dict[str, Any], i: int, rng: np.random.Generator) -> LeadPlan:
    order = [str(lead) for lead in rng.permutation(list(LEADS))]
    if wanted.get("few"):
        return column_plan([LIMB_LEADS, CHEST_LEADS, tuple(order[:2]), tuple(order[:3]), LIMB_LEADS[:3]][i % 5])
    if wanted.get("strips"):
        return (lead_plan("3x4+1", ("V1",)), lead_plan("3x4+1", order[:1]), lead_plan("3x4+3", order[:3]))[i % 3]
    names = ("3x4", "3x4+1", "6x2") if wanted.get("sequential") is False else USUAL
    return lead_plan(wanted.get("plan") or names[i % len(names)], leads=wanted.get("leads", LEADS))


def as_given(page: Page, preset: str, quarters: int) -> tuple[Image, Warp, Warp]:
    """The picture as rows are sought in it, the warp of its grid, and that of the true layout: mm -> px of it."""
    page = as_scanned(page) if preset in {"photo", "damaged"} else page
    image, grid, warp = page.image, on_grid(page), page.warp
    if quarters:
        px = turned_px(image.shape[:2], quarters)
        grid = grid.after(turned_mm(grid, image.shape[:2], quarters)).then(px)
        image, warp = np.ascontiguousarray(np.rot90(image, quarters)), warp.then(px)
    return image, grid, warp


def judge(page: Page, found: LayoutReading, read_warp: Warp, true_warp: Warp, image: Image, upright: bool) -> Judged:
    """Compare a reading, in mm of `read_warp`, with the truth, in those of `true_warp`; both lead to px of `image`."""
    read = [_moved(s, read_warp, true_warp) for s in found.layout.segments]
    right, gains, off = [], [], []
    for true in page.layout.segments:
        near = min(read, key=lambda s: _distance(s, true))
        fits = abs(near.x_mm - true.x_mm) < NEAR_MM and abs(near.baseline_mm - true.baseline_mm) < 6.0
        lasts = abs(near.start_s - true.start_s) < NEAR_S and abs(near.duration_s - true.duration_s) < NEAR_S
        right.append(fits and lasts and near.lead == true.lead)
        gains.append(near.gain_mm_per_mv == true.gain_mm_per_mv)
        if fits:
            off.append(near.x_mm - true.x_mm)
    speed = found.layout.segments[0].speed_mm_per_s == page.layout.segments[0].speed_mm_per_s
    same = [[s.lead for s in lay.row(r)] for lay in (found.layout, page.layout) for r in range(lay.n_rows)]
    zero = float(np.median(off)) if off else np.inf
    shift = time_zero(image, read_warp, found.layout, _true_rows(page, found.layout, read_warp, true_warp))
    n = found.layout.n_rows
    return Judged(
        layout=same[:n] == same[n:],
        leads=float(np.mean(right)),
        speed=speed,
        gain=float(np.mean(gains)),
        zero_mm=zero,
        measured_mm=zero if shift is None else zero + shift.shift_mm,
        upright=upright,
    )


def _moved(s: Segment, read_warp: Warp, true_warp: Warp) -> Segment:
    x, y = true_warp.to_mm(read_warp.to_px(np.array([[s.x_mm, s.baseline_mm]])))[0]
    return replace(s, x_mm=float(x), baseline_mm=float(y))


def _distance(s: Segment, true: Segment) -> float:
    return abs(s.x_mm - true.x_mm) + abs(s.baseline_mm - true.baseline_mm)


def _true_rows(page: Page, layout: Layout, read_warp: Warp, true_warp: Warp) -> list[RowReading]:
    """What a network without error would read of the rows of `layout`."""
    rows = []
    for r in range(layout.n_rows):
        y_mm = _moved(layout.row(r)[0], read_warp, true_warp).baseline_mm
        like = min(page.layout.segments, key=lambda s: abs(s.baseline_mm - y_mm)).row
        traces = [t for t in page.traces if t.segment.row == like]
        x = np.arange(min(t.segment.x_mm for t in traces) - 4, max(t.segment.end_mm for t in traces) + 4, 1 / 16)
        y = np.full(x.shape, np.nan)
        for trace in traces:
            here = (x >= trace.segment.x_mm) & (x < trace.segment.end_mm)
            y[here] = trace.y_at(x[here])
        known = np.isfinite(y)
        at = np.stack([x, np.where(known, y, y_mm)], axis=1)
        mm = read_warp.to_mm(true_warp.to_px(at))
        rows.append(RowReading(mm[:, 0], np.where(known, mm[:, 1], np.nan), np.zeros_like(x), known.astype(np.float32)))
    return rows


def read(page: Page, preset: str, quarters: int, geometry: str) -> tuple[Judged, Image, LayoutReading | None, Warp]:
    """Read one page and judge it; also the picture it was judged in, the reading and its warp."""
    image, given, true_warp = as_given(page, preset, quarters)
    try:
        if geometry == "found":
            image = np.ascontiguousarray(np.rot90(page.image, quarters))
            true_warp = page.warp.then(turned_px(page.image.shape[:2], quarters))
            placed = place(image)
            turns, found, warp = placed.turned_deg // 90, placed.found, placed.warp
        else:
            found, turns, _ = settle(image, given)
            warp = given.after(turned_mm(given, image.shape[:2], turns))
            if turns:
                warp = warp.then(turned_px(image.shape[:2], turns))
    except ValueError as error:
        return Judged(str(error)), image, None, given
    true_warp = true_warp.then(turned_px(image.shape[:2], turns))
    image = np.ascontiguousarray(np.rot90(image, turns))
    upright = (turns + quarters) % 4 == 0
    return judge(page, found, warp, true_warp, image, upright), image, found, warp


def overlay(image: Image, found: LayoutReading | None, warp: Warp) -> Image:
    """What was read over the picture: segments with their names and times, red, and the pulse, blue."""
    out = image.copy()
    thick = max(1, round(image.shape[1] / 1200))

    if found is not None:
        for s in found.layout.segments:
            (x0, y), (x1, y1) = (
                (int(x), int(y)) for x, y in warp.to_px([(s.x_mm, s.baseline_mm), (s.end_mm, s.baseline_mm)]).round()
            )
            cv2.line(out, (x0, y), (x1, y1), _RED, thick)
            cv2.line(out, (x0, y - 9 * thick), (x0, y + 9 * thick), _RED, thick)
            at = (x0 + 30 * thick, y - 4 * thick)
            cv2.putText(out, f"{s.lead} {s.start_s:.1f}", at, 0, 0.5 * thick, _RED, thick)
        if found.rows.pulse is not None:
            pulse, foot = found.rows.pulse, found.rows.baselines_mm[0]
            box = warp.to_px([(pulse.x_mm, foot), (pulse.end_mm, foot - pulse.height_mm)]).round().astype(int)
            cv2.rectangle(out, box[0].tolist(), box[1].tolist(), _BLUE, thick)
    scale = min(1.0, 1500 / max(out.shape[:2]))
    return np.asarray(cv2.resize(out, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


COLUMNS = ("pages", "refused", "layout", "leads", "speed", "gain", "zero", "measured", "upright")


def row_of(judged: list[Judged]) -> list[str]:
    n = len(judged)
    shares = [
        np.mean([j.layout for j in judged]),
        np.mean([j.leads for j in judged]),
        np.mean([j.speed for j in judged]),
        np.mean([j.gain for j in judged]),
        np.mean([abs(j.zero_mm) < EXACT_MM for j in judged]),
        np.mean([abs(j.measured_mm) < EXACT_MM for j in judged]),
        np.mean([j.upright for j in judged]),
    ]
    return [str(n), str(sum(bool(j.refused) for j in judged)), *(f"{100 * v:.1f}" for v in shares)]


def cases(options: argparse.Namespace, source: Source) -> Iterator[tuple[str, str, int]]:
    for i in range(options.first, options.first + (options.limit or len(source))):
        for preset in options.preset:
            for kind in options.kind:
                yield preset, kind, i


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", help="folder of WFDB records; default: simulated ones")
    parser.add_argument("--preset", nargs="+", default=["clean", "scan", "photo", "damaged"], choices=list(PRESETS))
    parser.add_argument("--kind", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--first", type=int, default=0, help="number of the first page of each kind")
    parser.add_argument("--limit", type=int, help="pages of each preset and kind; default: as many as recordings")
    parser.add_argument("--geometry", default="true", choices=["true", "found"])
    parser.add_argument("--save", help="folder for pictures of misread pages")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    source: Source = WfdbFolder(options.records) if options.records else Simulator(n=24, seed=SEED)
    results: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for preset, kind, i in cases(options, source):
        page = draw(source[i % len(source)], kind, preset, i)
        quarters = 1 + i % 3 if KINDS[kind].get("turned") else 0
        judged, image, found, warp = read(page, preset, quarters, options.geometry)
        results[preset, kind].append(judged)
        if judged.leads < 1 or not judged.speed or judged.gain < 1:
            name = f"{preset}_{kind}_{i}".replace("/", "").replace(" ", "-")
            about = judged.refused or (
                f"leads {judged.leads:.2f} gain {judged.gain:.2f} speed {judged.speed} zero {judged.zero_mm:.2f} "
                f"upright {judged.upright}; read {found.layout.name if found else ''}, is {page.layout.name}"
            )
            print(f"  {name}: {about}", file=sys.stderr, flush=True)
            if options.save:
                Path(options.save).mkdir(parents=True, exist_ok=True)
                picture = overlay(image, found, warp)
                cv2.imwrite(str(Path(options.save) / f"{name}.png"), picture[..., ::-1])
    print(f"{'preset':9}{'kind':14}" + "".join(f"{c:>9}" for c in COLUMNS))
    for (preset, kind), judged_pages in sorted(results.items(), key=lambda item: options.preset.index(item[0][0])):
        print(f"{preset:9}{kind:14}" + "".join(f"{c:>9}" for c in row_of(judged_pages)))
    for preset in options.preset:
        together = [j for (p, _), judged_pages in results.items() if p == preset for j in judged_pages]
        print(f"{preset:9}{'all':14}" + "".join(f"{c:>9}" for c in row_of(together)))


if __name__ == "__main__":
    main()
