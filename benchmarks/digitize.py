"""Seconds and memory of reading a page: `python benchmarks/digitize.py [PICTURE ...] [--megapixels 12] [--threads 1]`.

Each picture is read by a process of its own, as a user's is: seconds of the imports, of loading the network, of the
first reading (with compiled code from its cache; the very first run on a machine compiles for half a minute) and, by
stage, of the best of `--repeat` more; then the peak of memory. Without pictures a photo is drawn. CPU seconds count
all threads; wall seconds mean little on a machine that does something else beside.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# function of a module -> the stage that it is; one called by another is counted in both
STAGES = {
    "ecgdig.grid.geometry.overview": "  a glance",
    "ecgdig.grid.geometry.find_grid": "  a flat grid",
    "ecgdig.grid.geometry.find_photo_grid": "  a grid that is followed",
    "ecgdig.locate.place.find_geometry": "geometry",
    "ecgdig.locate.rows.ink_map": "  ink",
    "ecgdig.locate.rows.page_maps": "  what stands where",
    "ecgdig.locate.leads.read_words": "  names",
    "ecgdig.locate.place.settle": "rows and leads",
    "ecgdig.digitizer.read_rows": "trace network",
    "ecgdig.digitizer.refine": "single lines",
    "ecgdig.digitizer.refine_flat": "single lines",
    "ecgdig.digitizer.fit_ink": "fit to the ink",
    "ecgdig.digitizer.digitize": "all",
}
Spent = tuple[float, float]  # wall and CPU seconds


class Clock:
    """Wall and CPU seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> Spent:
        return time.perf_counter() - self._wall, time.process_time() - self._cpu


def measured(path: str, repeat: int, threads: int) -> dict[str, Spent | float]:
    """Read one picture in this process, in which nothing has been imported yet."""
    out: dict[str, Spent | float] = {}
    clock = Clock()
    import cv2

    from ecgdig import digitizer
    from ecgdig.hub import load
    from ecgdig.io.image import read_picture

    out["imports"], clock = clock.read(), Clock()
    cv2.setNumThreads(threads)
    model = load()
    out["loading the network"], clock = clock.read(), Clock()
    image = read_picture(Path(path), 1).rgb
    out["opening the picture"] = clock.read()
    spent: dict[str, Spent] = defaultdict(lambda: (0.0, 0.0))
    for name, stage in STAGES.items():
        timed(name, stage, spent)
    runs = []
    for _ in range(1 + repeat):
        spent.clear()
        digitizer.digitize(image, model)
        runs.append(dict(spent))
    out["first reading"] = runs[0]["all"]
    out |= min(runs[1:] or runs, key=lambda run: run["all"][1])
    out["megapixels"], out["peak MB"] = image.size / 3e6, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return out


def timed(name: str, stage: str, spent: dict[str, Spent]) -> None:
    """Let a function of a module add what it takes to its stage."""
    where, _, what = name.rpartition(".")
    module = importlib.import_module(where)
    function: Callable[..., Any] = getattr(module, what)

    def measuring(*given: Any, **named: Any) -> Any:
        clock = Clock()
        try:
            return function(*given, **named)
        finally:
            spent[stage] = spent[stage][0] + clock.read()[0], spent[stage][1] + clock.read()[1]

    setattr(module, what, measuring)


def drawn(folder: Path, megapixels: float) -> str:
    """A photo of a simulated ECG with so many pixels."""
    import cv2
    import numpy as np

    from ecgdig.degrade import degrade
    from ecgdig.page import render, sample_style
    from ecgdig.page.plan import lead_plan
    from ecgdig.page.sample import sample_layout
    from ecgdig.sources import Simulator

    rng, recording = np.random.default_rng(3), Simulator(n=1)[0]
    style = sample_style(rng)
    layout = sample_layout(recording, style, rng, lead_plan("3x4+1"), usual_scale=True)
    image = degrade(render(recording, layout, style, 300.0, rng), "photo", rng).image
    scale = float(np.sqrt(megapixels * 1e6 / (image.shape[0] * image.shape[1])))
    image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    path = folder / f"drawn_{megapixels:g}MP.jpg"
    cv2.imwrite(str(path), image[..., ::-1])
    return str(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="*", help="files; default: a drawn photo")
    parser.add_argument("--megapixels", type=float, default=12.0, help="of the photo that is drawn")
    parser.add_argument("--repeat", type=int, default=2, help="readings after the first; the best one counts")
    parser.add_argument("--threads", type=int, help="default: as many as there are cores")
    options = parser.parse_args()
    threads = options.threads or os.cpu_count() or 1
    os.environ["OMP_NUM_THREADS"] = str(threads)
    with TemporaryDirectory() as folder:
        for path in options.pictures or [drawn(Path(folder), options.megapixels)]:
            with ProcessPoolExecutor(1, get_context("spawn")) as one:
                found = one.submit(measured, path, options.repeat, threads).result()
            print(f"{Path(path).name}, {found.pop('megapixels'):.1f} megapixels, threads: {threads}")
            print(f"  {'peak of memory, MB':28}{found.pop('peak MB'):7.0f}\n  {'seconds':28}{'wall':>7}{'CPU':>7}")
            for stage, value in found.items():
                assert isinstance(value, tuple)
                print(f"  {stage:28}{value[0]:7.2f}{value[1]:7.2f}")


if __name__ == "__main__":
    main()
