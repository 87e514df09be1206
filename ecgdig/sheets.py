"""Crops of pages brought upright, with what stands where on them: what `SheetTask` is trained with."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.data import DrawnPages, Item, PagesOnTheFly
from ecgdig.degrade import degrade
from ecgdig.degrade.wishes import Wishes
from ecgdig.locate.ink import INK_PX_PER_MM
from ecgdig.locate.sheet import DEEP_STRIDE, MAPS, STRIDE, levelled
from ecgdig.page.page import Page
from ecgdig.page.sample import sample_page
from ecgdig.page.warp import Warp, coarse_to_fine
from ecgdig.sources import Source

Affine = NDArray[np.float64]  # (3, 3): crop px -> paper mm
_COARSE = 16
_SHRINK = 1.5
_ROW_MM, _SEAM_MM, _BAR_MM, _TRACE_CELLS = 1.0, 5.0, 0.5, 2
_SHIFT = 4  # bits of a pixel in cv2's drawing
_TURNS = (0.6, 0.12, 0.16, 0.12)  # how often a page is turned by 0 to 3 quarters
_BEYOND_MM = 12.0  # the paper's edge, and what lies beyond, are seen too


def crop_affine(rng: np.random.Generator, page: Page, shape: tuple[int, int], turns: int) -> Affine:
    """Crop px -> paper mm of a crop anywhere on a page, turned, and a little off in scale and angle."""
    paper = page.layout.paper
    x = rng.uniform(-_BEYOND_MM, paper.width_mm + _BEYOND_MM)
    y = rng.uniform(-_BEYOND_MM, paper.height_mm + _BEYOND_MM)
    scale = np.exp(rng.normal(0, 0.05, 2)) / INK_PX_PER_MM
    angle = rng.normal(0, 0.015) + 0.5 * np.pi * turns  # the picture turns anticlockwise
    cos, sin = np.cos(angle), np.sin(angle)
    h, w = shape
    matrix = np.array([[cos * scale[0], -sin * scale[1], 0], [sin * scale[0], cos * scale[1], 0], [0, 0, 1]])
    matrix[:2, 2] = [x, y] - matrix[:2, :2] @ [w / 2, h / 2]
    return matrix


def crop_picture(image: NDArray[np.uint8], warp: Warp, affine: Affine, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The page through `affine`, uint8 RGB `shape` + (3,); averaged where it is finer, its edge goes on."""
    h, w = shape
    y, x = np.mgrid[0 : h + _COARSE : _COARSE, 0 : w + _COARSE : _COARSE]
    at = np.stack([x, y, np.ones_like(x)], axis=-1) @ affine.T
    px = warp.to_px(at[..., :2])
    step = float(np.linalg.norm(px[1:, :-1] - px[:-1, :-1], axis=-1).mean()) / _COARSE  # image px a crop px
    if step > _SHRINK:
        size = (max(1, round(image.shape[1] / step)), max(1, round(image.shape[0] / step)))
        ratio = np.array([size[0] / image.shape[1], size[1] / image.shape[0]])
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        px = (px + 0.5) * ratio - 0.5
    fine = coarse_to_fine(px.astype(np.float32), _COARSE, shape)
    out = cv2.remap(image, fine[..., 0], fine[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)


def crop_truth(page: Page, affine: Affine, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """What stands where in a crop: 0 or 1, uint8 `(maps, H / 2, W / 2)` in the order of `MAPS`; see `SheetMaps`."""
    maps = np.zeros((len(MAPS), shape[0] // STRIDE, shape[1] // STRIDE), np.uint8)
    to_px = np.linalg.inv(affine)

    def points(mm: NDArray[np.float64]) -> NDArray[np.int32]:
        px = mm @ to_px[:2, :2].T + to_px[:2, 2]
        cell = (px + 0.5) / STRIDE - 0.5
        return np.asarray(np.clip(cell * 2**_SHIFT, -1e6, 1e6).round(), np.int32)

    def box(kind: str, x0: float, y0: float, x1: float, y1: float) -> None:
        corners = points(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]))
        cv2.fillConvexPoly(maps[MAPS.index(kind)], corners, 1, cv2.LINE_8, _SHIFT)

    for k, trace in enumerate(page.traces):
        mm = np.stack([trace.x_mm, trace.y_mm], axis=1)
        known = np.isfinite(mm).all(axis=1) & ~page.hidden(k)
        for run in np.split(np.arange(len(mm)), np.flatnonzero(np.diff(known.astype(np.int8))) + 1):
            if len(run) and known[run[0]]:
                cv2.polylines(maps[MAPS.index("trace")], [points(mm[run])], False, 1, _TRACE_CELLS, cv2.LINE_8, _SHIFT)
    for s in page.layout.segments:
        box("row", s.x_mm, s.baseline_mm - _ROW_MM, s.end_mm, s.baseline_mm + _ROW_MM)
        box("seam", s.x_mm - _BAR_MM, s.baseline_mm - _SEAM_MM, s.x_mm + _BAR_MM, s.baseline_mm + _SEAM_MM)
    for row in range(page.layout.n_rows):
        s = max(page.layout.row(row), key=lambda s: s.end_mm)
        box("end", s.end_mm - _BAR_MM, s.baseline_mm - _SEAM_MM, s.end_mm + _BAR_MM, s.baseline_mm + _SEAM_MM)
    for mark in page.marks:
        if mark.kind in {"pulse", "lead-name"}:
            box("pulse" if mark.kind == "pulse" else "name", *mark.box_mm)
    return maps


class SheetDataset(DrawnPages):
    """Item i: crops of one page.

    Items are dictionaries of arrays: `image` uint8 `(crops, 3, H, W)`, `levelled`, `maps` uint8
    `(crops, 6, H / 2, W / 2)`, `turns` int64 `(crops,)`.

    Args:
        shape: height and width of a crop in px, divisible by 16.
        crops: of each page.
        source, presets, seed, length, in_order, words: as for `StripDataset`.
    """

    def __init__(
        self,
        source: Source,
        shape: tuple[int, int],
        crops: int,
        presets: Mapping[str, float],
        seed: int,
        length: int,
        in_order: bool = False,
        words: str | None = None,
    ) -> None:
        if any(side % DEEP_STRIDE for side in shape):
            raise ValueError(f"crops of {shape[0]} x {shape[1]} px; take sides that {DEEP_STRIDE} divides")
        super().__init__(source, presets, seed, length, in_order, words)
        self.shape, self.crops = shape, crops

    def __getitem__(self, index: int) -> Item:
        rng, recording, preset, split = self.begun(index)
        dpi = float(rng.uniform(110, 250))
        page = degrade(sample_page(recording, rng, dpi, split), preset, rng, wishes=Wishes(self.words))
        images, maps, turns = [], [], []
        for _ in range(self.crops):
            turn = int(rng.choice(len(_TURNS), p=_TURNS))
            affine = crop_affine(rng, page, self.shape, turn)
            images.append(levelled(crop_picture(page.image, page.warp, affine, self.shape)).transpose(2, 0, 1))
            maps.append(crop_truth(page, affine, self.shape))
            turns.append(turn)
        return {"image": np.stack(images), "maps": np.stack(maps), "turns": np.array(turns, np.int64)}


class SheetDataModule(PagesOnTheFly):
    """Crops of upright pages for the sheet task; arguments as in `StripDataModule`, and:

    Args:
        height_px, width_px: of a crop.
        crops: of each page.
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
        height_px: int = 512,
        width_px: int = 768,
        crops: int = 4,
        batch_size: int = 1,
        pages_per_epoch: int = 400,
        val_pages: int = 40,
        workers: int = 1,
        seed: int = 0,
        words: str | None = None,
    ) -> None:
        lengths = (pages_per_epoch, val_pages)
        super().__init__(records, weights, simulated, val_records, batch_size, lengths, workers, seed)
        self.presets = presets or {"clean": 0.15, "print": 0.1, "scan": 0.25, "photo": 0.3, "damaged": 0.2}
        self.val_presets = val_presets or {"clean": 1.0, "scan": 1.0, "photo": 1.0, "damaged": 1.0}
        self.shape, self.crops, self.words = (height_px, width_px), crops, words

    def dataset(self, source: Source, seed: int, training: bool) -> SheetDataset:
        presets, length = (self.presets, self.lengths[0]) if training else (self.val_presets, self.lengths[1])
        return SheetDataset(source, self.shape, self.crops, presets, seed, length, not training, self.words)
