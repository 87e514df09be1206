"""How far found geometry is off: `python benchmarks/geometry.py [--records DIR] [--preset scan ...] [--turned]`.

Pages of known truth are drawn, their geometry is found without any trace being read, and the millimetres of the two
are compared along the printed traces, but for whole squares of the grid and quarter turns. Printed for each preset:
pages refused, pages that are wrong (more than 2 mm off at the 95th percentile), pages within the limit (0.1, 0.3, 0.5
and 0.8 mm for clean, scan, photo and damaged), the 95th percentile over all that were not wrong, and seconds a page.
`--turned` lays the pages down in any direction; `--unaided` leaves the network out. `--save DIR` draws what is wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from reading import SEED, USUAL, draw

from ecgdig.degrade import PRESETS
from ecgdig.grid.flat import GeometryError, NotFlatError, find_grid
from ecgdig.grid.geometry import find_geometry, turned
from ecgdig.grid.photo import find_photo_grid
from ecgdig.page import Page, Warp
from ecgdig.page.warp import Homography
from ecgdig.sources import Simulator, Source, WfdbFolder
from ecgdig.units import LARGE_SQUARE_MM

LIMITS_MM = {"clean": 0.1, "print": 0.1, "scan": 0.3, "photo": 0.5, "damaged": 0.8}
WRONG_MM = 2.0
Array = NDArray[np.float64]


def errors_mm(page: Page, warp: Warp) -> Array:
    """Distance in mm of a found warp from the true one along what is seen of the traces, `(n,)`."""
    points = np.concatenate([np.stack([t.x_mm, t.y_mm], 1)[::40] for t in page.traces])
    points = points[np.isfinite(points).all(axis=1)]
    px = page.warp.to_px(points)
    h, w = page.shape
    inside = (px > 0).all(axis=1) & (px[:, 0] < w - 1) & (px[:, 1] < h - 1)
    true = points[inside] - np.array(page.style.grid.phase_mm)
    found = warp.to_mm(px[inside])
    each = []
    for quarters in range(4):
        cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters]
        off = found @ np.array([[cos, sin], [-sin, cos]]) - true
        off -= np.round(np.median(off, axis=0) / LARGE_SQUARE_MM) * LARGE_SQUARE_MM
        each.append(np.linalg.norm(off, axis=1))
    return min(each, key=np.median)


def laid(page: Page, angle_rad: float) -> Page:
    """The page in an image turned anticlockwise by an angle."""
    image, back = turned(page.image, angle_rad)
    return page.with_image(image, page.warp.then(Homography.of(np.linalg.inv(back.array))))


def unaided(image: NDArray[np.uint8]) -> Warp:
    try:
        return find_grid(image).warp()
    except NotFlatError:
        return find_photo_grid(image).warp


def picture(page: Page, warp: Warp | None) -> NDArray[np.uint8]:
    """The found grid, every 10 mm, over the page, at most 1500 px."""
    out = page.image.copy()
    if warp is not None:
        h, w = page.shape
        mm = warp.to_mm(np.array([(x, y) for x in (0, w / 2, w) for y in (0, h / 2, h)], float))
        low, high = np.floor(mm.min(axis=0) / 10) * 10, mm.max(axis=0)
        thick = max(1, round(max(h, w) / 1200))
        for axis in range(2):
            for at in np.arange(low[axis], min(high[axis], low[axis] + 600), 10):
                line = np.stack([np.full(200, at), np.linspace(low[1 - axis], high[1 - axis], 200)], 1)
                px = warp.to_px(line if axis == 0 else line[:, ::-1])
                cv2.polylines(out, [np.clip(px, -9e4, 9e4).astype(np.int32)], False, (220, 0, 0), thick)
    scale = min(1.0, 1500 / max(out.shape[:2]))
    return np.asarray(cv2.resize(out, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", help="folder of WFDB records; default: simulated ones")
    parser.add_argument("--preset", nargs="+", default=["scan", "photo", "damaged"], choices=list(PRESETS))
    parser.add_argument("--first", type=int, default=0, help="number of the first page of each preset")
    parser.add_argument("--limit", type=int, default=54, help="pages of each preset")
    parser.add_argument("--turned", action="store_true", help="pages in any direction")
    parser.add_argument("--unaided", action="store_true", help="without the network that sees the page at a glance")
    parser.add_argument("--save", help="folder for pictures of pages refused or wrong")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    source: Source = WfdbFolder(options.records) if options.records else Simulator(n=24, seed=SEED)
    off: dict[str, list[Array]] = defaultdict(list)
    refused: dict[str, int] = defaultdict(int)
    seconds: dict[str, float] = defaultdict(float)
    for i in range(options.first, options.first + options.limit):
        for preset in options.preset:
            page = draw(source[i % len(source)], USUAL[i % len(USUAL)], preset, i)
            if options.turned:
                page = laid(page, float(np.random.default_rng([SEED, i]).uniform(-np.pi, np.pi)))
            begin = time.process_time()
            warp, about = None, ""
            try:
                warp = unaided(page.image) if options.unaided else find_geometry(page.image).warp
            except GeometryError as error:
                about = f"refused: {error}"
                refused[preset] += 1
            seconds[preset] += time.process_time() - begin
            if warp is not None:
                off[preset].append(errors_mm(page, warp))
                worst = float(np.percentile(off[preset][-1], 95))
                about = f"{worst:.2f} mm" if worst > WRONG_MM else ""
            if about:
                print(f"  {preset} {i}: {about}", file=sys.stderr, flush=True)
                if options.save:
                    Path(options.save).mkdir(parents=True, exist_ok=True)
                    cv2.imwrite(str(Path(options.save) / f"{preset}_{i}.jpg"), picture(page, warp)[..., ::-1])
    print(f"{'preset':9}{'pages':>7}{'refused':>9}{'wrong':>7}{'within':>8}{'95 % mm':>9}{'s':>7}")
    for preset in options.preset:
        each = [float(np.percentile(e, 95)) for e in off[preset]]
        right = [e for e, worst in zip(off[preset], each, strict=True) if worst <= WRONG_MM]
        pooled = float(np.percentile(np.concatenate(right), 95)) if right else float("nan")
        n = len(each) + refused[preset]
        within = sum(worst <= LIMITS_MM[preset] for worst in each) / n
        wrong = len(each) - len(right)
        numbers = f"{n:7}{refused[preset]:9}{wrong:7}{within:8.1%}{pooled:9.3f}{seconds[preset] / n:7.1f}"
        print(f"{preset:9}{numbers}")


if __name__ == "__main__":
    main()
