"""Light: uneven illumination and colour, applied to the finished image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade.noted import note
from ecgdig.degrade.pixels import multiply, shrunk
from ecgdig.page.cover import LEGIBLE
from ecgdig.page.page import Page

Rng = np.random.Generator
Image = NDArray[np.uint8]  # (H, W, 3) RGB


def gradient(image: Image, strength: float, rng: Rng) -> Image:
    """Light from one side and a few soft patches: brightness falls to 1 - 0.6·strength at the darkest place."""
    knots = rng.uniform(0, 1, (4, 4)).astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1:1:4j, -1:1:4j]
    side = (np.cos(angle) * x + np.sin(angle) * y) / 2.83 + 0.5
    dark = float(rng.uniform(0.1, 0.6)) * strength
    note(rng, dark=dark, angle_deg=np.degrees(angle))
    mixed = (0.7 * side + 0.3 * knots).astype(np.float32)
    mixed = (mixed - mixed.min()) / max(float(np.ptp(mixed)), 1e-6)
    return _multiply(image, 1 - dark * mixed)


def shadow(image: Image, strength: float, rng: Rng) -> Image:
    """The soft edge of a shadow across the sheet, as of a person leaning over it."""
    height, width = 48, 64
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.25, 0.25)
    bend = rng.uniform(-0.3, 0.3)
    u = np.cos(angle) * (x / width - 0.5) + np.sin(angle) * (y / height - 0.5)
    v = -np.sin(angle) * (x / width - 0.5) + np.cos(angle) * (y / height - 0.5)
    softness = float(rng.uniform(0.01, 0.12))
    inside = 1 / (1 + np.exp(-(u - offset - bend * v * v * 4) / softness))
    dark = float(rng.uniform(0.15, 0.6)) * strength
    note(rng, dark=dark, angle_deg=np.degrees(angle), softness=softness, offset=offset, bend=bend)
    return _multiply(image, (1 - dark * inside).astype(np.float32))


def cast_shadows(image: Image, strength: float, rng: Rng) -> Image:
    """Shadows of a hand or a phone that reach into the picture, one to three, soft, up to 60 % dark."""
    shape = _raster(image)
    light = np.ones(shape, np.float32)
    for _ in range(int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))):
        mask = np.zeros(shape, np.uint8)
        size = min(shape) * float(rng.uniform(0.25, 0.6))
        angle = float(rng.uniform(0, 2 * np.pi))
        towards = np.array([np.cos(angle), np.sin(angle)])
        middle = np.array(shape[::-1]) / 2
        # on the border of the picture or a little inside
        at = middle - towards * middle * rng.uniform(0.5, 1.1, 2)
        outline = _hand if rng.random() < 0.6 else _phone
        outline(mask, at, towards, size, rng)
        sigma = float(np.exp(rng.uniform(np.log(0.8), np.log(10))))
        soft = cv2.GaussianBlur(mask, (0, 0), sigma).astype(np.float32) / 255
        dark = float(rng.uniform(0.2, 0.6)) * strength
        note(rng, of="hand" if outline is _hand else "phone", dark=dark, angle_deg=np.degrees(angle))
        note(rng, size=size / min(shape), softness=sigma / min(shape))  # shares of the picture's shorter side
        light *= 1 - dark * soft
    return _multiply(image, light)


def _hand(
    mask: NDArray[np.uint8], at: NDArray[np.float64], towards: NDArray[np.float64], size: float, rng: Rng
) -> None:
    """A palm with an arm behind it and up to five fingers before it."""
    side = np.array([-towards[1], towards[0]])
    palm = float(rng.uniform(0.2, 0.28)) * size

    def limb(start: NDArray[np.float64], end: NDArray[np.float64], breadth: float) -> None:
        ends = [(round(float(p[0]) * 16), round(float(p[1]) * 16)) for p in (start, end)]
        cv2.line(mask, ends[0], ends[1], 255, max(1, round(breadth)), cv2.LINE_AA, 4)

    limb(at - towards * 3 * size, at, 1.5 * palm)
    limb(at - towards * 0.3 * palm, at + towards * 0.3 * palm, 2 * palm)
    for k in range(int(rng.integers(1, 6))):
        spread = (k - 2) * 0.4
        tip = towards * np.cos(0.6 * spread) + side * np.sin(0.6 * spread)
        length = palm * float(rng.uniform(1.6, 2.6))
        limb(at + side * spread * palm * 0.9, at + side * spread * palm * 0.9 + tip * length, 0.42 * palm)


def _phone(
    mask: NDArray[np.uint8], at: NDArray[np.float64], towards: NDArray[np.float64], size: float, rng: Rng
) -> None:
    """A rectangle of a phone's proportions."""
    turned = np.arctan2(towards[1], towards[0]) + rng.normal(0, 0.3)
    box = ((float(at[0]), float(at[1])), (1.2 * size, 0.58 * size), float(np.degrees(turned)))
    cv2.fillConvexPoly(mask, np.round(cv2.boxPoints(box) * 16).astype(np.int32), 255, cv2.LINE_AA, 4)


def glare(page: Page, strength: float, rng: Rng) -> Page:
    """One or two shining patches, where the picture comes up to 80 % nearer to white; what nearly goes is hidden."""
    left = _left_by_glare(page.image, strength, rng)
    # 255 - (255 - image)·left: what is dark is brightened
    lit = _multiply(np.asarray(cv2.bitwise_not(page.image), np.uint8), left)
    cv2.bitwise_not(lit, dst=lit)
    page = page.with_image(lit)
    if left.min() >= LEGIBLE:
        return page
    fine = cv2.resize(left, page.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return page.hide_seen(np.where(fine < LEGIBLE, 255, 0).astype(np.uint8))


def _left_by_glare(image: Image, strength: float, rng: Rng) -> NDArray[np.float32]:
    """Share of the contrast with white that is left, on a coarse raster."""
    shape = _raster(image)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    shine = np.zeros(shape, np.float32)
    for _ in range(1 if rng.random() < 0.7 else 2):
        cy, cx = rng.uniform(-0.05, 1.05, 2) * shape
        turn, length = rng.uniform(0, np.pi), float(rng.uniform(0.08, 0.4)) * max(shape)
        breadth = length * float(rng.uniform(0.2, 1.0))
        u = (np.cos(turn) * (x - cx) + np.sin(turn) * (y - cy)) / length
        v = (-np.sin(turn) * (x - cx) + np.cos(turn) * (y - cy)) / breadth
        power = float(rng.uniform(0.8, 2.0))  # 1: Gaussian; more: a patch with an edge
        note(rng, length=length / max(shape), breadth=breadth / max(shape), power=power)  # of the longer side
        shine = np.maximum(shine, np.exp(-((u * u + v * v) ** power)))
    peak = 0.8 * strength * float(rng.uniform(0.3, 1))
    note(rng, peak=peak)
    return np.asarray(1 - peak * shine, np.float32)


def two_lights(image: Image, strength: float, rng: Rng) -> Image:
    """Daylight from one side, a lamp from the other: up to 14 % bluer and brighter here, yellower and darker there."""
    height, width = _raster(image)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, offset, softness = rng.uniform(0, 2 * np.pi), float(rng.normal(0, 0.2)), float(rng.uniform(0.06, 0.4))
    u = (np.cos(angle) * (x - width / 2) + np.sin(angle) * (y - height / 2)) / max(height, width)
    bumps = np.asarray(cv2.resize(rng.normal(0, 0.12, (3, 4)).astype(np.float32), (width, height)), np.float32)
    lamp = (255 / (1 + np.exp(-(u + bumps - offset) / softness))).astype(np.uint8)
    apart, dim = 0.14 * strength * float(rng.uniform(0.4, 1)), 0.2 * strength * float(rng.uniform(0, 1))
    note(rng, apart=apart, dim=dim, angle_deg=np.degrees(angle), softness=softness, offset=offset)
    share = np.asarray(cv2.resize(lamp, image.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
    day = np.array([1 - apart, 1 - 0.3 * apart, 1.0])
    lamplight = (1 - dim) * np.array([1.0, 1 - 0.25 * apart, 1 - apart])
    return multiply(image, share, day, lamplight)


def tone_mapping(image: Image, strength: float, rng: Rng) -> Image:
    """What a phone does against shadows: dark regions are brightened, bright ones darkened, with halos at their edges.

    Brightness in a neighbourhood of 3 to 12 % of the picture goes up to 60 % of the way (in logarithms) to the median.
    """
    height, width = (min(n, most) for n, most in zip(_raster(image), image.shape, strict=False))
    sigma, way = float(np.exp(rng.uniform(np.log(0.03), np.log(0.12)))), 0.6 * strength * float(rng.uniform(0.4, 1))
    note(rng, way=way, sigma=sigma)  # sigma: share of the longer side
    small = cv2.cvtColor(shrunk(image, (width, height)), cv2.COLOR_RGB2GRAY).astype(np.float32) + 12
    near = np.asarray(cv2.GaussianBlur(small, (0, 0), sigma * max(height, width)), np.float32)
    gain = np.clip((np.median(near) / near) ** way, 0.6, 1.6)
    coarse = np.round(gain * (255 / 1.6)).astype(np.uint8)
    levels = cv2.resize(coarse, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return multiply(image, np.asarray(levels, np.uint8), 0.0, 1.6)


def vignette(image: Image, strength: float, rng: Rng) -> Image:
    """Corners darker than the middle by up to 45 %: the fourth power of the cosine, as of a simple lens."""
    shape = _raster(image)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    cy, cx = (0.5 + rng.normal(0, 0.05, 2)) * shape
    squared = ((x - cx) ** 2 + (y - cy) ** 2) / (0.25 * (shape[0] ** 2 + shape[1] ** 2))
    corner = 0.45 * strength * float(rng.uniform(0.3, 1))
    note(rng, corner=corner)
    tangent = 1 / np.sqrt(1 - corner) - 1  # squared, in the corners: cos^4 = 1 / (1 + tan^2)^2
    return _multiply(image, (1 / (1 + tangent * squared) ** 2).astype(np.float32))


def colour_cast(image: Image, strength: float, rng: Rng) -> Image:
    """Warm or cold light: red against blue by up to 15 % at strength 1, green by up to 4 %."""
    warm, green = float(rng.uniform(-0.15, 0.15)) * strength, float(rng.uniform(-0.04, 0.04)) * strength
    note(rng, warm=warm, green=green)
    gains = np.array([1 + warm, 1 + green, 1 - warm])
    return np.asarray(cv2.transform(image, np.diag(gains / gains.max())), np.uint8)


def exposure(image: Image, strength: float, rng: Rng) -> Image:
    """Contrast, brightness and gamma of a camera or scanner."""
    gamma = float(np.exp(rng.uniform(-0.5, 0.5) * strength))
    black, white = float(rng.uniform(0, 50)) * strength, 255 - float(rng.uniform(0, 60)) * strength
    note(rng, gamma=gamma, black=black, white=white)
    ramp = (np.linspace(0, 1, 256) ** gamma) * (white - black) + black
    return np.asarray(cv2.LUT(image, ramp.astype(np.uint8)), np.uint8)


def _raster(image: Image) -> tuple[int, int]:
    """Height and width of a small raster of the image's proportions."""
    factor = 96 / max(image.shape[:2])
    return max(2, round(image.shape[0] * factor)), max(2, round(image.shape[1] * factor))


def _multiply(image: Image, field: NDArray[np.float32]) -> Image:
    """`image` times a coarse field, 0 to 1, enlarged to it."""
    coarse = np.clip(field * 255 + 0.5, 0, 255).astype(np.uint8)
    fine = cv2.resize(coarse, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_CUBIC)
    return multiply(image, np.asarray(fine, np.uint8), 0.0, 1.0)
