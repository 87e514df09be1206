"""Small pictures of pages, with the truth about their geometry: what `PageTask` is trained with."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.data import DrawnPages, Item, PagesOnTheFly
from ecgdig.degrade.presets import apply, draw, preset_named
from ecgdig.degrade.wishes import Wishes
from ecgdig.grid.overview import SIDE_PX, STRIDE, pictured, spectra
from ecgdig.page.page import Page
from ecgdig.page.sample import sample_page
from ecgdig.page.warp import Homography
from ecgdig.sources import Source

TRUTHS = ("paper", "scale", "stretch", "skew", "angle")
_DPI = (100.0, 190.0)
_SCALES = (1.3, 6.5)  # px/mm of the thumbnails
_TURNS = (0.55, 0.15, 0.15, 0.15)  # how often a page is turned by 0 to 3 quarters
_ASKEW, _SLIGHTLY_DEG = 0.3, 3.0  # how often by any angle, and by how much else
_REACH_MM = 5.0  # to either side, over which the scale is measured


def thumbnail(page: Page, to_px: NDArray[np.float64], shape: tuple[int, int]) -> Page:
    """The page seen through an affine map `(3, 3)` of its px to those of a picture of `shape`, averaged where finer."""
    scale = float(np.sqrt(abs(np.linalg.det(to_px[:2, :2]))))
    image, matrix = page.image, to_px
    if scale < 0.7:
        size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
        fx, fy = size[0] / image.shape[1], size[1] / image.shape[0]
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        # pixel centres: x' + 0.5 = fx (x + 0.5)
        shrunk = np.array([[fx, 0, 0.5 * fx - 0.5], [0, fy, 0.5 * fy - 0.5], [0, 0, 1]])
        matrix = to_px @ np.linalg.inv(shrunk)
    small = cv2.warpAffine(
        image, matrix[:2], (shape[1], shape[0]), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return page.with_image(np.asarray(small, np.uint8), page.warp.then(Homography.of(to_px)))


def whole(shape: tuple[int, int], side_px: int, turns: int) -> NDArray[np.float64]:
    """The map of an image's px to those of it turned by quarters anticlockwise, its longer side `side_px`."""
    h, w = shape
    matrix = np.eye(3)
    for _ in range(turns % 4):  # x' = y, y' = width - 1 - x
        matrix = np.array([[0, 1, 0], [-1, 0, w - 1], [0, 0, 1.0]]) @ matrix
        h, w = w, h
    f = side_px / max(h, w)
    return np.array([[f, 0, 0.5 * f - 0.5], [0, f, 0.5 * f - 0.5], [0, 0, 1]]) @ matrix


def anywhere(rng: np.random.Generator, page: Page, side_px: int) -> NDArray[np.float64]:
    """The map of a page's px to those of a part of it, at any scale that thumbnails have and in any direction."""
    paper = page.layout.paper
    low, high = (0.25, 0.75) if rng.random() < 0.6 else (0.0, 1.0)
    middle = rng.uniform(low, high, 2) * [paper.width_mm, paper.height_mm]
    at = page.warp.to_px(middle)
    scale = float(np.exp(rng.uniform(*np.log(_SCALES)))) / float(page.warp.px_per_mm(middle[None])[0])
    free = float(rng.uniform(-45, 45)) if rng.random() < _ASKEW else float(rng.normal(0, _SLIGHTLY_DEG))
    angle = np.radians(free) + 0.5 * np.pi * int(rng.choice(4, p=_TURNS))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    matrix = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    matrix[:2, 2] = 0.5 * side_px - matrix[:2, :2] @ at
    return matrix


def truth_of(page: Page, seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """What a thumbnail shows in each cell of `STRIDE` px, `(5, h, w)` in the order of `TRUTHS`; NaN: not known.

    Scale is the log to base 2 of px/mm; stretch, skew and angle are as in `grid.overview.Overview`, the angle in rad.

    Args:
        seen: whether a cell shows the image, `(h, w)`.
    """
    h, w = seen.shape
    y, x = (np.mgrid[0:h, 0:w] + 0.5) * STRIDE - 0.5
    mm = page.warp.to_mm(np.stack([x, y], axis=-1))
    paper = page.layout.paper
    on = (mm > 0).all(-1) & (mm[..., 0] < paper.width_mm) & (mm[..., 1] < paper.height_mm) & seen
    along, down = (
        (page.warp.to_px(mm + step) - page.warp.to_px(mm - step)) / (2 * _REACH_MM)
        for step in (np.array([_REACH_MM, 0.0]), np.array([0.0, _REACH_MM]))
    )
    scales = np.linalg.norm(along, axis=-1), np.linalg.norm(down, axis=-1)
    first, second = np.arctan2(along[..., 1], along[..., 0]), np.arctan2(-down[..., 0], down[..., 1])
    skew = (second - first + np.pi) % (2 * np.pi) - np.pi
    values = np.stack([
        on,
        0.5 * np.log2(np.maximum(scales[0] * scales[1], 1e-9)),
        np.log(np.maximum(scales[0], 1e-9) / np.maximum(scales[1], 1e-9)),
        skew,
        first + 0.5 * skew,
    ]).astype(np.float32)  # fmt: skip
    values[0, ~seen] = np.nan
    values[1:, ~on] = np.nan
    return values


class PageDataset(DrawnPages):
    """Item i: thumbnails of one page.

    Items are dictionaries of arrays: `image` uint8 `(views, 4, side, side)`, as `grid.overview.pictured` makes it,
    `spectra` uint8 `(views, 288, side / 32, side / 32)`, as its `spectra` does, and `truth` float32
    `(views, 5, side / 16, side / 16)`, see `truth_of`.

    Args:
        side_px: of the thumbnails, divisible by 16; in order they are of the whole page, and of `SIDE_PX`.
        views: of each page, any part of it in any direction; in order one.
        source, presets, seed, length, in_order, words: as for `StripDataset`.
    """

    def __init__(
        self,
        source: Source,
        side_px: int,
        views: int,
        presets: Mapping[str, float],
        seed: int,
        length: int,
        in_order: bool = False,
        words: str | None = None,
    ) -> None:
        if side_px % STRIDE:
            raise ValueError(f"thumbnails of {side_px} px; take a side that {STRIDE} divides")
        super().__init__(source, presets, seed, length, in_order, words)
        self.side_px, self.views = side_px, views

    def __getitem__(self, index: int) -> Item:
        rng, recording, preset, split = self.begun(index)
        dpi = float(rng.uniform(*_DPI))
        page = sample_page(recording, rng, dpi, split)
        mix, drawn = preset_named(preset), draw(preset, rng)
        at_dpi = None if drawn.dpi is None else dpi
        page = apply(
            page, drawn.strengths, rng, dpi=at_dpi, margin_mm=drawn.margin_mm, desk=mix.desk, wishes=Wishes(self.words)
        )
        if self.in_order:
            turns = int(rng.choice(4, p=_TURNS))
            views = [(whole(page.shape, SIDE_PX, turns), SIDE_PX)]
        else:
            views = [(anywhere(rng, page, self.side_px), self.side_px) for _ in range(self.views)]
        items = [_view(page, to_px, side) for to_px, side in views]
        return {name: np.stack([part[k] for part in items]) for k, name in enumerate(("image", "spectra", "truth"))}


def _view(
    page: Page, to_px: NDArray[np.float64], side_px: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    small = thumbnail(page, to_px, (side_px, side_px))
    cell = (np.mgrid[0 : side_px // STRIDE, 0 : side_px // STRIDE][::-1] + 0.5) * STRIDE - 0.5  # x, y
    back = np.linalg.inv(to_px)
    x, y = np.tensordot(back[:2, :2], cell, 1) + back[:2, 2, None, None]
    seen = (x > 0) & (y > 0) & (x < page.shape[1] - 1) & (y < page.shape[0] - 1)
    picture = pictured(small.image)
    bands = spectra(picture[..., 3]).transpose(2, 0, 1)
    return picture.transpose(2, 0, 1).copy(), bands.copy(), truth_of(small, seen)


class PageDataModule(PagesOnTheFly):
    """Thumbnails of pages for the page task; arguments as in `StripDataModule`, and:

    Args:
        side_px: of the thumbnails.
        views: thumbnails of each page.
        batch_size: pages a step and process.
    """

    def __init__(
        self,
        records: list[str] | str | None = None,
        weights: list[float] | None = None,
        simulated: float = 0.2,
        val_records: list[str] | str | None = None,
        presets: dict[str, float] | None = None,
        val_presets: dict[str, float] | None = None,
        side_px: int = 640,
        views: int = 4,
        batch_size: int = 2,
        pages_per_epoch: int = 400,
        val_pages: int = 54,
        workers: int = 1,
        seed: int = 0,
        words: str | None = None,
    ) -> None:
        lengths = (pages_per_epoch, val_pages)
        super().__init__(records, weights, simulated, val_records, batch_size, lengths, workers, seed)
        self.presets = presets or {"clean": 0.08, "print": 0.07, "scan": 0.15, "photo": 0.4, "damaged": 0.3}
        self.val_presets = val_presets or {"scan": 1.0, "photo": 1.0, "damaged": 1.0}
        self.side_px, self.views, self.words = side_px, views, words

    def dataset(self, source: Source, seed: int, training: bool) -> PageDataset:
        presets, length = (self.presets, self.lengths[0]) if training else (self.val_presets, self.lengths[1])
        return PageDataset(source, self.side_px, self.views, presets, seed, length, not training, self.words)
