"""What generated pages are worth as truth: `python benchmarks/pages.py ink|diversity|damaged [--pages N]`.

- `ink`: each preset, and each degradation alone at strength 1: the share of true trace points, not hidden and in the
  picture, with dark ink within 2 px, and how far the middle of the ink is from the truth across the trace (rms).
  Ink is what a page has and its twin, made from the same draws without traces, has not.
- `diversity`: the marginal distribution of every drawn parameter, those inside degradations too; one that never
  changes is marked.
- `damaged`: random `damaged` pages; the seeds of those that failed.
"""

from __future__ import annotations

import argparse
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.dataset import Recipe, open_records
from ecgdig.dataset.recipe import CLEAN_DPI, draw_page, parameters
from ecgdig.degrade import DEGRADATIONS, PRESETS, apply, draw
from ecgdig.page import Page, render, sample_layout, sample_style
from ecgdig.page.layout import Layout
from ecgdig.page.style import Style
from ecgdig.recording import Recording

NEAR_PX = 2.0
DPI = 200.0  # of presets that keep the clean page's
DARK = 0.08  # of the brightness of the same place without ink
REACH_PX = 5.0
ALONE_MM = 4.0  # no other trace is nearer than this where distances are measured


def twins(recording: Recording, style: Style, layout: Layout, dpi: float, seed: list[int]) -> tuple[Page, Page]:
    """A clean page, and the same without the ink of traces, pulses and separators."""
    page = render(recording, layout, style, dpi, np.random.default_rng(seed))
    unseen = replace(style, ink=replace(style.ink, opacity=0.0))
    return page, page.with_image(render(recording, layout, unseen, dpi, np.random.default_rng(seed)).image)


def ink_of(page: Page, twin: Page) -> NDArray[np.float32]:
    """How much darker a page is than its twin, against the twin's brightness, `(H, W)`."""
    dark, bright = (cv2.cvtColor(p.image, cv2.COLOR_RGB2GRAY).astype(np.float32) for p in (page, twin))
    return (bright - dark) / np.maximum(bright, 24)


def points_on_ink(page: Page, ink: NDArray[np.float32]) -> tuple[int, int]:
    """How many visible points of the truth there are, and how many have dark ink within `NEAR_PX`."""
    reach = int(NEAR_PX)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    near = cv2.dilate(ink, disc)
    n = found = 0
    for i in range(len(page.traces)):
        px = page.polyline_px(i)
        seen = np.isfinite(px).all(1) & ~page.hidden(i)
        seen[seen] &= ((px[seen] >= reach) & (px[seen] <= np.array(page.shape[::-1]) - 1 - reach)).all(1)
        x, y = np.round(px[seen]).astype(int).T
        n += len(x)
        found += int((near[y, x] >= DARK).sum())
    return n, found


def distances(page: Page, ink: NDArray[np.float32]) -> NDArray[np.float64]:
    """From the middle of the ink that the truth says to the middle of the ink there is, across the trace, px.

    Measured where the trace is alone: centroids along its normal, of the traces drawn anew through the warp and of
    `ink`.
    """
    offsets = np.arange(-REACH_PX, REACH_PX + 0.125, 0.25)
    told = np.maximum.reduce([page.mask(i) for i in range(len(page.traces))]).astype(np.float32)
    found = []
    for i, trace in enumerate(page.traces):
        px = page.polyline_px(i)
        at = np.arange(3, len(px) - 3, 7)
        if len(at) == 0:
            continue
        along = px[at + 3] - px[at - 3]
        normal = np.stack([-along[:, 1], along[:, 0]], 1) / np.maximum(np.linalg.norm(along, axis=1), 1e-9)[:, None]
        line = px[at, None] + offsets[None, :, None] * normal[:, None]
        good = ((line >= 1) & (line <= np.array(page.shape[::-1]) - 2)).all((1, 2))  # false where not a number
        good &= ~page.hidden(i)[at]
        for j, other in enumerate(page.traces):
            if j != i:
                good &= ~(np.abs(other.y_at(trace.x_mm[at]) - trace.y_mm[at]) < ALONE_MM)
        if not good.any():
            continue
        xy = line[good].astype(np.float32)
        middles = []
        for picture in (told, ink):
            profile = cv2.remap(picture, xy[..., 0], xy[..., 1], cv2.INTER_LINEAR)
            peak = profile.max(1, keepdims=True)
            weight = np.clip(profile - 0.25 * peak, 0, None)
            with np.errstate(invalid="ignore"):
                middles.append(np.where(peak[:, 0] > 0, (weight * offsets).sum(1) / weight.sum(1), np.nan))
        dark = peak[:, 0] >= DARK
        found.append((middles[1] - middles[0])[dark])
    return np.concatenate(found) if found else np.empty(0)


def clean_pages(records: str | None, n: int, dpi: float | None) -> Iterator[tuple[Page, Page, np.random.Generator]]:
    """Random clean pages, their twins and a generator for what follows."""
    source = open_records([records] if records else [], 5)
    for i in range(n):
        rng = np.random.default_rng([5, i])
        recording = source[i % len(source)] if records else source[i]
        style = sample_style(rng)
        layout = sample_layout(recording, style, rng)
        drawn = float(np.exp(rng.uniform(*np.log(CLEAN_DPI))))
        yield *twins(recording, style, layout, dpi or drawn, [5, i, 1]), rng


def measure(pages: Iterator[tuple[Page, Page, np.random.Generator]], damage: Callable[..., Page]) -> str:
    n = found = 0
    off: list[NDArray[np.float64]] = []
    worst = 1.0, -1
    for k, (page, twin, rng) in enumerate(pages):
        state = rng.bit_generator.state
        page = damage(page, rng)
        rng.bit_generator.state = state
        ink = ink_of(page, damage(twin, rng))
        some, dark = points_on_ink(page, ink)
        n, found = n + some, found + dark
        worst = min(worst, (dark / some if some else 1.0, k))
        off.append(distances(page, ink))
    every = np.concatenate(off)
    rms = float(np.sqrt(np.mean(every**2))) if every.size else float("nan")
    far = float(np.mean(np.abs(every) > 1)) if every.size else float("nan")
    share = found / max(n, 1)
    fine = "" if share >= 0.995 and not rms > 0.5 else "   <-- short"
    return f"{n:9d}{share:9.4f}{worst[0]:8.3f} (page {worst[1]:2d}){rms:8.3f}{far:9.4f}{fine}"


def show_ink(records: str | None, n: int, dpi: float | None, only: list[str]) -> None:
    print(f"{'':18}{'points':>9}{'on ink':>9}{'worst page':>18}{'rms px':>8}{'> 1 px':>9}")
    for preset, mix in PRESETS.items():
        if only and preset not in only:
            continue

        def by_preset(page: Page, rng: np.random.Generator, name: str = preset) -> Page:
            drawn = draw(name, rng)
            return apply(
                page,
                drawn.strengths,
                rng,
                dpi=None if drawn.dpi is None else dpi or drawn.dpi,
                margin_mm=drawn.margin_mm,
                desk=PRESETS[name].desk,
            )

        assert mix is PRESETS[preset]
        print(f"{preset:18}{measure(clean_pages(records, n, dpi), by_preset)}", flush=True)
    for name in DEGRADATIONS:
        if only and name not in only:
            continue

        def alone(page: Page, rng: np.random.Generator, name: str = name) -> Page:
            return apply(page, {name: 1.0}, rng, desk=True)

        print(f"{name:18}{measure(clean_pages(records, n, dpi), alone)}", flush=True)


def show_diversity(n: int, out: Path | None) -> None:
    """Marginals of layouts, styles and strengths, and of what degradations draw on small windows of the pages."""
    source = open_records([], 6)
    rows: dict[str, list[Any]] = {}
    for i in range(n):
        rng = np.random.default_rng([6, i])
        recording = source[i]
        style = sample_style(rng)
        layout = sample_layout(recording, style, rng)
        left, top = (float(rng.uniform(0, side - 50)) for side in (layout.paper.width_mm, layout.paper.height_mm))
        for preset in ("scan", "photo", "damaged"):
            drawn = draw(preset, rng)
            dpi = drawn.dpi or DPI
            page = render(recording, layout, style, dpi, rng, (left, top, left + 50, top + 40))
            told = {"dpi": dpi, "margin_mm": drawn.margin_mm, "degrade": drawn.strengths}
            for key, value in parameters(Recipe(0, preset), page, told).items():
                if key in ("preset", "width_px", "height_px", "sheet"):  # sheet: of recordings that take several
                    continue
                own = key.startswith("degrade.") or key in ("dpi", "px_per_mm", "margin_mm")
                if own or preset == "scan":
                    rows.setdefault(f"{preset}.{key}" if own else key, []).append(value)
            page = apply(page, drawn.strengths, rng, dpi=dpi, margin_mm=drawn.margin_mm, desk=PRESETS[preset].desk)
            for key, values in page.degradation_values.items():
                rows.setdefault(f"inside.{key}", []).extend(f"{v:.6g}" if isinstance(v, float) else v for v in values)
    stuck = 0
    lines = [f"{'parameter':44}{'values':>7}  distribution"]
    inner = {key: rows.pop(key) for key in sorted(rows) if key.startswith("inside.")}
    rows |= inner
    for key, values in rows.items():
        stuck += (alike := len(set(values)) == 1)
        lines.append(f"{key:44}{len(set(values)):7d}  {distribution(values)}{'   <-- never changes' if alike else ''}")
    lines.append(f"{stuck} of {len(rows)} parameters never change")
    print(f"{n} pages", *lines, sep="\n")
    if out is not None:
        out.write_text(_TABLE.format(n=n, out=out) + "\n".join(["```", *lines, "```", ""]), encoding="utf-8")


_TABLE = """# What is drawn, and how often

Every parameter of {n} simulated pages: layouts, styles, strengths (`degrade.…` by preset) and what degradations draw
inside (`inside.…`). Made by

    python benchmarks/pages.py diversity --pages {n} --out {out}

Numbers: least | quartiles | greatest. Others: the most frequent values. "in 20 %": so many pages have it at all.

"""


def distribution(values: list[str]) -> str:
    """Quantiles of numbers (and how often there is none), shares of the most frequent of other values."""
    given = [value for value in values if value != ""]
    absent = f"in {len(given) / len(values):.0%}: " if len(given) < len(values) else ""
    try:
        numbers = np.array([float(value) for value in given])
    except ValueError:
        numbers = np.empty(0)
    if numbers.size and len(set(given)) > 8:
        low, quarter, middle, upper, high = np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1])
        return f"{absent}{low:.4g} | {quarter:.4g} {middle:.4g} {upper:.4g} | {high:.4g}"
    common = Counter(given).most_common(6)
    return absent + ", ".join(f"{value or '-'} {count / len(values):.0%}" for value, count in common)


def show_damaged(records: str | None, n: int, dpi: float | None) -> None:
    source = open_records([records] if records else [], 7)
    failed: list[int] = []
    start = time.process_time()
    for i in range(n):
        try:
            page, _ = draw_page(Recipe(7, "damaged", dpi=dpi), source[i % len(source)] if records else source[i], i)
            for k in range(len(page.traces)):
                px = page.polyline_px(k)
                known = np.isfinite(page.traces[k].y_mm)
                if not np.isfinite(px[known]).all():
                    raise ValueError(f"trace {k} has points that are not numbers")
                page.hidden(k)
        except Exception:
            failed.append(i)
            print(f"page {i}:\n{traceback.format_exc(limit=-3)}", flush=True)
        if (i + 1) % 100 == 0:
            print(
                f"{i + 1} pages, {len(failed)} failed, {(time.process_time() - start) / (i + 1):.2f} s each", flush=True
            )
    print(f"{n} damaged pages, {len(failed)} failed{': seeds ' + ' '.join(map(str, failed)) if failed else ''}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["ink", "diversity", "damaged"])
    parser.add_argument("--records", metavar="DIR", help="folder of WFDB records (default: simulated ones)")
    parser.add_argument("--pages", type=int, help="ink: of each row (default: 6); others: 1000")
    parser.add_argument("--dpi", type=float, help="of all pages; ink and damaged (default: as drawn)")
    parser.add_argument("--only", nargs="+", default=[], help="ink: these presets and degradations")
    parser.add_argument("--out", type=Path, metavar="FILE", help="diversity: the table as Markdown, too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.what == "ink":
        show_ink(options.records, options.pages or 6, options.dpi, options.only)
    elif options.what == "diversity":
        show_diversity(options.pages or 1000, options.out)
    else:
        show_damaged(options.records, options.pages or 1000, options.dpi)


if __name__ == "__main__":
    main()
