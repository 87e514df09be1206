"""The gallery of degradations, drawn from the registry: `python docs/gallery.py` (about a minute on one core).

It writes `docs/gallery/*.jpg` and `docs/gallery/README.md`: each degradation alone at three strengths, then whole
presets.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade import DEGRADATIONS, PRESETS, apply, degrade
from ecgdig.page import PLAIN, Page, Placement, arrange, lead_plan, render, sample_page
from ecgdig.page.layout import PAPERS
from ecgdig.sources import Simulator

FOLDER = Path(__file__).parent / "gallery"
STRENGTHS = (0.3, 0.6, 1.0)
TILE = (140, 182)  # height, width in px
GAP = 4
LABEL = 22
ROWS = 8  # degradations a picture


def plain_page() -> Page:
    """A usual page, the same under every degradation."""
    style = replace(PLAIN, grid=replace(PLAIN.grid, minor_rgb=(248, 212, 210), major_rgb=(222, 128, 124)))
    layout = arrange(lead_plan("3x4+1"), PAPERS["letter"], Placement(22, 8, 70, 32), duration_s=10.0)
    return render(Simulator(1, seed=11)[0], layout, style, 130, np.random.default_rng(0))


def fitted(image: NDArray[np.uint8], size: tuple[int, int] = TILE) -> NDArray[np.uint8]:
    """Shrunk to fit `size`, white around it."""
    factor = min(size[0] / image.shape[0], size[1] / image.shape[1])
    height, width = (max(1, int(n * factor)) for n in image.shape[:2])
    tile = np.full((*size, 3), 255, np.uint8)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    tile[top : top + height, left : left + width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return tile


def labelled(tiles: list[NDArray[np.uint8]], text: str) -> NDArray[np.uint8]:
    """Tiles side by side under a line of text."""
    gap = np.full((tiles[0].shape[0], GAP, 3), 255, np.uint8)
    row = np.hstack([part for tile in tiles for part in (tile, gap)])
    line = np.full((LABEL, row.shape[1], 3), 255, np.uint8)
    cv2.putText(line, text, (2, LABEL - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (40, 40, 40), 1, cv2.LINE_AA)
    return np.vstack([line, row])


def shown(page: Page, name: str) -> list[NDArray[np.uint8]]:
    """One degradation alone at each strength, on a desk, and the middle of the last picture closer."""
    pages = [apply(page, {name: s}, np.random.default_rng(8), margin_mm=5, desk=True).image for s in STRENGTHS]
    last = pages[-1]
    height, width = 2 * TILE[0], 2 * TILE[1]
    top, left = max(0, (last.shape[0] - height) // 2), max(0, (last.shape[1] - width) // 2)
    return [*(fitted(image) for image in pages), fitted(last[top : top + height, left : left + width])]


def write(name: str, image: NDArray[np.uint8]) -> str:
    cv2.imwrite(str(FOLDER / name), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])
    return name


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.jpg"):
        old.unlink()
    page = plain_page()
    rows = [labelled(shown(page, name), name.replace("_", " ")) for name in DEGRADATIONS]
    while len(rows) % 2:
        rows.append(np.full_like(rows[0], 255))
    pairs = [np.hstack([rows[i], rows[i + 1]]) for i in range(0, len(rows), 2)]
    files = [
        write(f"degradations-{k // ROWS + 1}.jpg", np.vstack(pairs[k : k + ROWS])) for k in range(0, len(pairs), ROWS)
    ]
    patients = Simulator(12, seed=11)
    mixes = []
    for preset in PRESETS:
        if preset == "clean":
            continue
        tiles = []
        for i in range(6):
            rng = np.random.default_rng([7, i])
            tiles.append(fitted(degrade(sample_page(patients[i], rng, dpi=120), preset, rng).image))
        mixes.append(labelled(tiles, f"preset {preset}"))
    files.append(write("presets.jpg", np.vstack(mixes)))
    words = [
        "# What can happen to a page",
        "",
        "Made by `python docs/gallery.py` from `ecgdig.degrade.DEGRADATIONS`: each degradation alone at strengths "
        + ", ".join(f"{s:g}" for s in STRENGTHS)
        + " and the middle of the last one, closer; then six pages of each preset. All pages are simulated.",
        "",
        *(f"![{name.removesuffix('.jpg')}]({name})\n" for name in files),
    ]
    (FOLDER / "README.md").write_text("\n".join(words).rstrip() + "\n")


if __name__ == "__main__":
    main()
