"""Pictures that are no ECG pages, or only a part of one: what a reader must refuse or doubt."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.page import PLAIN, Placement, arrange, lead_plan, render
from ecgdig.page.layout import PAPERS
from ecgdig.recording import Recording

Image = NDArray[np.uint8]
H, W = 1275, 1650  # letter paper, landscape, at 150 dpi
PX_PER_MM = 150 / 25.4


def impostors() -> dict[str, Image]:
    """Pictures by name, uint8 RGB `(H, W, 3)`, the same every time."""
    rng = np.random.default_rng(0)
    return {
        "blank paper": _paper(rng),
        "noise": rng.integers(0, 256, (H, W, 3), dtype=np.uint8),
        "text page": _text(_paper(rng), rng),
        "bar chart": _bars(_paper(rng), rng),
        "checkerboard": _checkerboard(),
        "face": _face(rng),
        "music sheet": _music(_paper(rng), rng),
        "ruled paper": _ruled(_paper(rng), (0.0, 7.0)),
        "squared paper": _ruled(_paper(rng), (5.0, 5.0)),
        "text on squared paper": _text(_ruled(_paper(rng), (5.0, 5.0)), rng),
        "blank ECG paper": _ecg_grid(_paper(rng)),
        "text on ECG paper": _text(_ecg_grid(_paper(rng)), rng),
        "sine waves on ECG paper": _sines(_ecg_grid(_paper(rng))),
        "share prices on ECG paper": _walks(_ecg_grid(_paper(rng)), rng),
        "scribble on ECG paper": _scribble(_ecg_grid(_paper(rng)), rng),
    }


def torn_page(recording: Recording) -> Image:
    """The left half of a 3x4+1 page, torn off along a ragged edge, on black."""
    layout = arrange(lead_plan("3x4+1"), PAPERS["letter"], Placement(20, 8, 50, 30), duration_s=10.0)
    image = render(recording, layout, PLAIN, 150, np.random.default_rng(0)).image.copy()
    edge = image.shape[1] * 0.45 + np.cumsum(np.random.default_rng(1).normal(0, 1.5, image.shape[0]))
    image[np.arange(image.shape[1])[None] > edge[:, None]] = 0
    return image


def _paper(rng: np.random.Generator) -> Image:
    return np.clip(rng.normal(248, 2.0, (H, W, 3)), 0, 255).astype(np.uint8)


def _text(image: Image, rng: np.random.Generator) -> Image:
    letters = list("abcdefghijklmnopqrstuvwxyz      ,.ABCDE0123456789")
    for y in range(110, H - 60, 34):
        line = "".join(rng.choice(letters, 95))
        cv2.putText(image, line, (70, y), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (30, 30, 30), 2, cv2.LINE_AA)
    return image


def _bars(image: Image, rng: np.random.Generator) -> Image:
    cv2.line(image, (120, 100), (120, H - 120), (0, 0, 0), 3)
    cv2.line(image, (120, H - 120), (W - 80, H - 120), (0, 0, 0), 3)
    for i, height in enumerate(rng.uniform(0.1, 0.9, 20)):
        left = 150 + i * 70
        colour = tuple(int(v) for v in rng.integers(40, 200, 3))
        cv2.rectangle(image, (left, int(H - 120 - height * (H - 240))), (left + 45, H - 121), colour, -1)
    return image


def _checkerboard() -> Image:
    y, x = np.mgrid[:H, :W]
    value = np.where((x // 60 + y // 60) % 2, 235, 20).astype(np.uint8)
    return np.repeat(value[..., None], 3, axis=2)


def _face(rng: np.random.Generator) -> Image:
    image = np.full((H, W, 3), (90, 120, 140), np.uint8)
    cv2.ellipse(image, (W // 2, H // 2), (330, 430), 0, 0, 360, (222, 180, 150), -1, cv2.LINE_AA)
    for x in (-130, 130):
        cv2.circle(image, (W // 2 + x, H // 2 - 100), 38, (50, 40, 35), -1, cv2.LINE_AA)
    cv2.ellipse(image, (W // 2, H // 2 + 190), (140, 55), 0, 10, 170, (150, 60, 60), 18, cv2.LINE_AA)
    image = cv2.GaussianBlur(image, (0, 0), 5)
    return np.clip(image + rng.normal(0, 5, image.shape), 0, 255).astype(np.uint8)


def _music(image: Image, rng: np.random.Generator) -> Image:
    for top in range(120, H - 150, 150):
        for i in range(5):
            cv2.line(image, (80, top + 14 * i), (W - 80, top + 14 * i), (20, 20, 20), 2)
        for x in range(130, W - 100, 55):
            y = top + int(rng.integers(-1, 9)) * 7
            cv2.ellipse(image, (x, y), (10, 7), -20, 0, 360, (10, 10, 10), -1, cv2.LINE_AA)
            cv2.line(image, (x + 9, y), (x + 9, y - 48), (10, 10, 10), 2)
    return image


def _ruled(image: Image, step_mm: tuple[float, float], colour: tuple[int, int, int] = (150, 175, 220)) -> Image:
    for axis, step in enumerate(step_mm):
        if step:
            for at in np.arange(4.0, (W, H)[axis] / PX_PER_MM, step) * PX_PER_MM:
                ends = ((int(at), 0), (int(at), H)) if axis == 0 else ((0, int(at)), (W, int(at)))
                cv2.line(image, *ends, colour, 1)
    return image


def _ecg_grid(image: Image) -> Image:
    _ruled(image, (1.0, 1.0), (252, 218, 218))
    return _ruled(image, (5.0, 5.0), (240, 160, 160))


def _curves(image: Image, heights_mm: NDArray[np.float64]) -> Image:
    """Curves `(rows, n)` in mm about rows 30 mm apart, 250 mm long."""
    for r, row in enumerate(heights_mm):
        x = 15 + np.linspace(0, 250, len(row))
        points = np.stack([x, 60 + 30 * r - row], axis=1) * PX_PER_MM
        cv2.polylines(image, [np.round(points * 16).astype(np.int32)], False, (20, 20, 20), 2, cv2.LINE_AA, 4)
    return image


def _sines(image: Image) -> Image:
    t = np.linspace(0, 10, 3000)
    return _curves(image, np.stack([8 * np.sin(2 * np.pi * (0.7 + 0.2 * r) * t + r) for r in range(4)]))


def _walks(image: Image, rng: np.random.Generator) -> Image:
    steps = np.cumsum(rng.normal(0, 0.5, (4, 700)), axis=1)
    return _curves(image, np.clip(steps - steps.mean(1, keepdims=True), -14, 14))


def _scribble(image: Image, rng: np.random.Generator) -> Image:
    for _ in range(14):
        points = np.cumsum(rng.normal(0, 60, (60, 2)), axis=0) + rng.uniform(0, 1, 2) * [W, H]
        cv2.polylines(image, [points.astype(np.int32)], False, (30, 30, 90), 3, cv2.LINE_AA)
    return image
