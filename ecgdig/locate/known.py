"""A page of known geometry, brought to where its rows and names are sought: for training and for measuring."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgdig.grid.upright import resampled
from ecgdig.page.page import Page
from ecgdig.page.warp import Homography, Warp
from ecgdig.units import LARGE_SQUARE_MM

UPRIGHT_PX_PER_MM = 8.0  # as photos are brought upright


def as_scanned(page: Page) -> Page:
    """A photographed page as a scanner would see its sheet; plain where the photo does not show it."""
    paper = page.layout.paper
    shape = (round(paper.height_mm * UPRIGHT_PX_PER_MM), round(paper.width_mm * UPRIGHT_PX_PER_MM))
    image = resampled(page.image, page.warp, shape, UPRIGHT_PX_PER_MM).copy()
    corners = page.warp.to_px(np.stack(np.meshgrid(np.arange(0, shape[1], 8), np.arange(0, shape[0], 8)), -1) / 8.0)
    size = np.array(page.image.shape[1::-1])
    unseen = ((corners < -0.5) | (corners > size - 0.5)).any(axis=-1)
    unseen = np.repeat(np.repeat(unseen, 8, axis=0), 8, axis=1)[: shape[0], : shape[1]]
    image[unseen] = np.median(image[::40, ::40].reshape(-1, 3), axis=0)
    return page.with_image(image, Warp.flat(UPRIGHT_PX_PER_MM))


def on_grid(page: Page) -> Warp:
    """The page's warp with its zero on a crossing of 5 mm lines up and left of the image, as a found one has."""
    return page.warp.after(Homography.of(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]]) + _shift(page)))


def _shift(page: Page) -> NDArray[np.float64]:
    h, w = page.image.shape[:2]
    phase = np.array(page.style.grid.phase_mm)
    corners = page.warp.to_mm(np.array([(-0.5, -0.5), (w - 0.5, -0.5), (-0.5, h - 0.5)]))
    low = np.floor((corners.min(axis=0) - phase) / LARGE_SQUARE_MM) * LARGE_SQUARE_MM + phase
    return np.array([[0, 0, low[0]], [0, 0, low[1]], [0, 0, 0]], np.float64)
