"""Camera and scanner: blur, noise, resolution and compression, applied to the finished image.

Motion blur and JPEG give the bytes that albumentations 2.0.8 gives (the tests compare), written with OpenCV alone:
importing albumentations brings torch, which costs every process that draws pages 3 s and 0.5 GB.
"""

from __future__ import annotations

import random
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.degrade.noted import note
from ecgdig.degrade.pixels import add_tile, beyond, shrunk

Rng = np.random.Generator
Image = NDArray[np.uint8]  # (H, W, 3) RGB

_TILE = 512  # noise is drawn once and repeated from a random offset


def blur(image: Image, strength: float, rng: Rng) -> Image:
    """Defocus: a Gaussian of up to 1.6 px sigma at strength 1."""
    sigma = float(rng.uniform(0.2, 1.6)) * strength
    note(rng, sigma_px=sigma)
    return image if sigma < 0.15 else np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def motion_blur(image: Image, strength: float, rng: Rng) -> Image:
    """A hand that moved: up to 7 px."""
    size = 3 + 2 * round(2 * strength * rng.random())
    angle = np.radians(random.Random(_seed(rng)).uniform(0, 360))
    note(rng, length_px=size, angle_deg=np.degrees(angle))
    kernel = np.zeros((size, size), np.float32)
    # symmetric around the middle: any other line would shift the page
    along = np.linspace(-(size // 2), size // 2, size)
    across, down = (np.round(size // 2 + part * along).astype(int) for part in (np.cos(angle), np.sin(angle)))
    kernel[down, across] = 1
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def noise(image: Image, strength: float, rng: Rng) -> Image:
    """Sensor noise: Gaussian, sigma up to 14 grey levels, partly shared by the three colours."""
    sigma, grain = float(rng.uniform(1, 14)) * strength, float(rng.uniform(0, 0.8))
    note(rng, sigma=sigma, grain_px=grain)
    oy, ox = (int(v) for v in rng.integers(0, _TILE, 2))
    tile = _noise_tile()
    if grain > 0.3:
        tile = np.asarray(cv2.GaussianBlur(tile, (0, 0), grain), np.float32) * np.float32(1 + 2 * grain)
    levels = np.clip(tile * np.float32(sigma), -127, 127).astype(np.int8)
    return add_tile(image, levels, (oy, ox))


@cache
def _noise_tile() -> NDArray[np.float32]:
    """Standard normal noise `(_TILE, _TILE, 3)`, the same in every process: four fifths shared by the colours."""
    rng = np.random.default_rng(20261122)
    shared = rng.standard_normal((_TILE, _TILE, 1), np.float32) * np.float32(0.8)
    return np.asarray(shared + rng.standard_normal((_TILE, _TILE, 3), np.float32) * np.float32(0.6), np.float32)


def low_resolution(image: Image, strength: float, rng: Rng) -> Image:
    """Shrunk and enlarged again: detail of up to 2.2 times fewer pixels."""
    factor = 1 + float(rng.uniform(0.1, 1.2)) * strength
    note(rng, factor=factor)
    # given factors instead of a size, OpenCV scales by exactly those and rounds the size: the page would shift
    size = (max(1, round(image.shape[1] / factor)), max(1, round(image.shape[0] / factor)))
    small = shrunk(image, size)
    return np.asarray(cv2.resize(small, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR), np.uint8)


def jpeg(image: Image, strength: float, rng: Rng) -> Image:
    """JPEG of quality 95 down to 95 - 65·strength."""
    packed = jpeg_bytes(image, jpeg_quality(strength, rng))
    decoded = np.asarray(cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB, dst=decoded), np.uint8)


def jpeg_quality(strength: float, rng: Rng) -> int:
    """The quality that `jpeg` draws, 1 to 100."""
    quality = round(95 - float(rng.uniform(0.1, 1)) * 65 * strength)
    note(rng, quality=quality)
    return quality


def jpeg_bytes(image: Image, quality: int) -> bytes:
    """A JPEG file of an RGB image, of this quality, 1 to 100.

    Raises:
        ValueError: the image is too large for one (65,500 px).
    """
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"a page of {image.shape[1]} x {image.shape[0]} px does not fit into a jpg file")
    return data.tobytes()


def grey(image: Image, strength: float, rng: Rng) -> Image:
    """Colour lost, as on a fax, a photocopy or a grey scan; strength sets how much."""
    note(rng, share=strength)
    single = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(single, strength, image, 1 - strength, 0), np.uint8)


def over_sharpen(image: Image, strength: float, rng: Rng) -> Image:
    """What cheap scanners and document apps do: edges with bright and dark seams, up to five times the contrast."""
    amount, sigma = float(rng.uniform(1.0, 4.0)) * strength, float(rng.uniform(1.0, 2.5))
    note(rng, amount=amount, sigma_px=sigma)
    soft = cv2.GaussianBlur(image, (0, 0), sigma)
    return beyond(image, np.asarray(soft, np.uint8), amount)


def jpeg_blocks(image: Image, strength: float, rng: Rng) -> Image:
    """A JPEG of very low quality, 90 down to 6: blocks of 8 px, waves around thin lines, colour in blocks of 16."""
    quality = round(90 - float(rng.uniform(0.85, 1)) * 84 * strength)
    note(rng, quality=quality)
    _, packed = cv2.imencode(
        ".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality]
    )  # red and blue alike, so left as they are
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def sharpen(image: Image, strength: float, rng: Rng) -> Image:
    """The unsharp mask of phones and scanners: dark lines get bright seams."""
    amount, sigma = float(rng.uniform(0.2, 1.2)) * strength, float(rng.uniform(0.8, 2.0))
    note(rng, amount=amount, sigma_px=sigma)
    soft = cv2.GaussianBlur(image, (0, 0), sigma)
    return beyond(image, np.asarray(soft, np.uint8), amount)


def phone_sharpening(image: Image, strength: float, rng: Rng) -> Image:
    """Noise smoothed away, then edges, paper fibre and what is left of the noise sharpened: up to 2.5 times."""
    amount, sigma = 2.5 * float(rng.uniform(0.3, 1)) * strength, float(rng.uniform(0.9, 1.6))
    note(rng, amount=amount, sigma_px=sigma)
    if amount < 0.05:
        return image
    smooth = cv2.GaussianBlur(image, (0, 0), 0.6 * sigma)
    soft = cv2.GaussianBlur(smooth, (0, 0), sigma)
    return beyond(np.asarray(smooth, np.uint8), np.asarray(soft, np.uint8), amount)


def _seed(rng: Rng) -> int:
    return int(rng.integers(2**31))
