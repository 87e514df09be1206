"""The pictures of README.md, made by the project: `python docs/pictures.py`."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade import degrade
from ecgdig.digitizer import digitize
from ecgdig.evaluate import rendered_cases
from ecgdig.hub import load
from ecgdig.page import sample_page
from ecgdig.report import overlay
from ecgdig.sources import Simulator

FOLDER = Path(__file__).parent / "pictures"


def write(name: str, image: NDArray[np.uint8], width: int) -> None:
    """Shrink to `width` px and save as JPEG."""
    size = (width, round(image.shape[0] * width / image.shape[1]))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(FOLDER / name), small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    patients = Simulator(12, seed=11)
    tiles = []
    for i, preset in enumerate(("clean", "scan", "photo", "photo", "damaged", "damaged")):
        rng = np.random.default_rng([5, i])
        page = degrade(sample_page(patients[i], rng, dpi=150), preset, rng)
        tile = np.full((420, 560, 3), 255, np.uint8)
        factor = min(420 / page.shape[0], 560 / page.shape[1])
        size = (int(page.shape[1] * factor), int(page.shape[0] * factor))
        tile[: size[1], : size[0]] = cv2.resize(page.image, size, interpolation=cv2.INTER_AREA)
        tiles.append(tile)
    write("pages.jpg", np.vstack([np.hstack(tiles[:3]), np.hstack(tiles[3:])]), 1200)
    case = next(rendered_cases(patients, "scan", ("3x4+1",), 200, 3))
    write("overlay.jpg", overlay(case.image, digitize(case.image, load())), 1200)


if __name__ == "__main__":
    main()
