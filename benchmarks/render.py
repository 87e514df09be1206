"""How fast pages are made and written on one core: `python benchmarks/render.py [--pages 20] [--preset scan ...]`.

Each preset at 200 dpi on letter or A4 paper (2200 x 1700 px, and as much for A4): CPU seconds a page of each part, with
JPEG (quality 95) and with PNG (level 1), and the peak memory of a worker process after few and after five times as many
pages. The last column is how many times faster that is than ECG-Image-Kit on one 2.5 GHz core, best of 10: 2.4 s for a
clean page, 6.9 s (all but handwriting) for a distorted one; its wrinkled, handwritten pages took up to 9.2 s.
CPU seconds are those of this process, so that other work on the machine counts little.

Recordings are simulated, which takes 7 ms each, or read from `--records DIR`; either counts as `rest`.

`python benchmarks/render.py --steady 2000 [--dpi 200] [--records DIR]`: that many pages of all presets in turn, at the
resolutions they draw or at one, in one process as a worker is one: its memory now and at most, every 100 pages, and the
pages that failed.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2

from ecgdig.dataset import Encoding, Plan, Recipe, build, files, open_records, recipe
from ecgdig.dataset.build import _Task as Task
from ecgdig.dataset.build import make
from ecgdig.degrade import PRESETS
from ecgdig.memory import keep_freed_memory

DPI = 200.0
TOOLBOX_S = {"clean": 2.4, "print": 2.4}  # others: _TOOLBOX_DISTORTED_S
TOOLBOX_DISTORTED_S = 6.9

seconds: dict[str, float] = defaultdict(float)


def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, its CPU seconds added up under `name`."""

    def run(*args: Any, **options: Any) -> Any:
        start = time.process_time()
        try:
            return function(*args, **options)
        finally:
            seconds[name] += time.process_time() - start

    return run


def parts_a_page(preset: str, suffix: str, n: int, records: str | None) -> dict[str, float]:
    """CPU seconds a page of each part, and `all`, after numba has loaded."""
    source = open_records([records] if records else [], 1)
    plan = Plan(Recipe(1, preset, "3x4+1", DPI, usual_scale=True), source, n, 1, Encoding(suffix))
    with tempfile.TemporaryDirectory() as folder:
        for i in range(n):  # each degradation loads its kernels when it is first drawn
            make(plan, Path(folder), Task(i, (i,)))
        seconds.clear()
        start = time.process_time()
        for i in range(n):
            done = make(plan, Path(folder), Task(i, (i,)))
            assert not done.failures, done.failures
        total = time.process_time() - start
    return {name: value / n for name, value in seconds.items()} | {"all": total / n}


def peak_mb(preset: str, dpi: float | None, n: int) -> float:
    """Most memory of one worker process after `n` pages."""
    with tempfile.TemporaryDirectory() as folder:
        return build(Plan(Recipe(2, preset, dpi=dpi), open_records([], 2), n), Path(folder), 1).peak_mb


def show_steady(records: str | None, n: int, dpi: float | None) -> None:
    """Memory of one process over `n` pages, the presets in turn."""
    source = open_records([records] if records else [], 3)
    plans = [Plan(Recipe(3, preset, dpi=dpi), source, n, 1, Encoding("jpg")) for preset in PRESETS]
    print(f"{'pages':>6}{'MB now':>9}{'at most':>9}{'failed':>8}{'CPU s a page':>14}")
    failed = 0
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for i in range(n):
            done = make(plans[i % len(plans)], Path(folder), Task(i % len(source) if records else i, (i,)))
            failed += len(done.failures)
            for why in done.failures:
                print(*why, flush=True)
            for row in done.rows:
                for file in files.files_of(row):
                    (Path(folder) / file).unlink()
            if (i + 1) % 100 == 0:
                each = (time.process_time() - start) / (i + 1)
                print(f"{i + 1:6d}{now_mb():9.0f}{done.peak_mb:9.0f}{failed:8d}{each:14.3f}", flush=True)


def now_mb() -> float:
    """Memory of this process now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1024**2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=20, help="of each preset and format (default: 20)")
    parser.add_argument("--preset", nargs="+", default=list(PRESETS), choices=list(PRESETS))
    parser.add_argument("--no-memory", action="store_true", help="leave out the peak memory, which takes longest")
    parser.add_argument("--steady", type=int, metavar="N", help="memory over N pages of all presets, instead")
    parser.add_argument("--dpi", type=float, help="of the pages of --steady (default: as they draw)")
    parser.add_argument("--records", metavar="DIR", help="folder of records (default: simulated, 7 ms each)")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    keep_freed_memory()  # as a worker does
    if options.steady:
        show_steady(options.records, options.steady, options.dpi)
        return
    recipe.render = timed("render", recipe.render)
    recipe.apply = timed("degrade", recipe.apply)
    files.truth_bytes = timed("truth", files.truth_bytes)
    files.Encoding.encode = timed("encode", files.Encoding.encode)  # type: ignore[method-assign]
    print(
        f"{'preset':9}{'':5}{'pages/s':>8}"
        + "".join(f"{p:>9}" for p in ("render", "degrade", "encode", "truth", "rest"))
    )
    for preset in options.preset:
        for suffix in ("jpg", "png"):
            part = parts_a_page(preset, suffix, options.pages, options.records)
            rest = part["all"] - sum(value for name, value in part.items() if name != "all")
            row = [part.get(name, 0.0) for name in ("render", "degrade", "encode", "truth")] + [rest]
            ratio = TOOLBOX_S.get(preset, TOOLBOX_DISTORTED_S) / part["all"]
            text = "".join(f"{1000 * value:6.0f} ms" for value in row)
            print(f"{preset:9}{suffix:5}{1 / part['all']:8.1f}{text}   {ratio:.0f} x the toolbox", flush=True)
    if options.no_memory:
        return
    print(f"\npeak memory of a worker, MB, after {options.pages} and {5 * options.pages} pages")
    for preset in options.preset:
        for dpi in (DPI, None):
            few, many = (peak_mb(preset, dpi, n) for n in (options.pages, 5 * options.pages))
            print(f"{preset:9}{'drawn dpi' if dpi is None else f'{dpi:g} dpi':>10}{few:8.0f}{many:8.0f}", flush=True)


if __name__ == "__main__":
    main()
