"""Broken, odd and hostile inputs, made from a small page: files, and arrays that are no files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "PDF")


def fuzzed_files(page: NDArray[np.uint8], folder: Path, n: int, seed: int = 0) -> Iterator[Path]:
    """`n` files in `folder`, written one after the other; file i is a function of (page, seed, i)."""
    for i in range(n):
        rng = np.random.default_rng([seed, i])
        kind = i % len(_KINDS)
        yield _KINDS[kind](page, folder / f"{i:03d}", rng)


def odd_arrays() -> list[object]:
    """Objects that are no pictures, or hardly."""
    return [
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((100, 100, 2), np.uint8),
        np.zeros((3, 100, 100), np.uint8),
        np.zeros(100, np.uint8),
        np.zeros((100, 100, 3), np.complex64),
        np.full((100, 100), np.nan),
        np.full((100, 100), np.inf),
        np.full((100, 100), -1.0),
        np.zeros((100, 100), object),
        np.zeros((100, 100), "U1"),
        np.ones((100, 100), bool),
        np.full((100, 100), 0.5, np.float16),
        np.full((100, 100, 4), 7, np.int64),
        np.broadcast_to(np.uint8(255), (1_000_000, 1_000_000, 3)),
        np.zeros((64, 30_000), np.uint8),
        None,
        7,
        [[1, 2], [3, 4]],
        b"\x89PNG",
        "",
        "\0",
        "x" * 5000,
    ]


def _bytes(page: NDArray[np.uint8], rng: np.random.Generator, kind: str | None = None) -> tuple[bytes, str]:
    kind = kind or str(rng.choice(FORMATS))
    file = io.BytesIO()
    Image.fromarray(page).save(file, kind)
    return file.getvalue(), "." + kind.lower()


def _written(path: Path, data: bytes, suffix: str) -> Path:
    target = path.with_suffix(suffix)
    target.write_bytes(data)
    return target


def _truncated(page: NDArray[np.uint8], path: Path, rng: np.random.Generator) -> Path:
    data, suffix = _bytes(page, rng)
    return _written(path, data[: int(rng.integers(0, len(data)))], suffix)


def _flipped(page: NDArray[np.uint8], path: Path, rng: np.random.Generator) -> Path:
    data, suffix = _bytes(page, rng)
    changed = np.frombuffer(data, np.uint8).copy()
    # headers most of all
    at = rng.integers(0, int(rng.choice([60, 600, len(data)])), int(rng.integers(1, 30)))
    changed[np.minimum(at, len(data) - 1)] ^= rng.integers(1, 256, len(at), dtype=np.uint8)
    return _written(path, changed.tobytes(), suffix)


def _wrong_suffix(page: NDArray[np.uint8], path: Path, rng: np.random.Generator) -> Path:
    return _written(path, _bytes(page, rng)[0], str(rng.choice([".png", ".heic", ".pdf", ".tif", ".gif"])))


def _no_picture(page: NDArray[np.uint8], path: Path, rng: np.random.Generator) -> Path:
    texts = [
        b"",
        b"\0",
        b"I, II, III\n0.1,0.2,0.1\n",
        b"%PDF-1.7\n",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"II*\0\x08\0\0\0",
    ]
    if rng.random() < 0.15:
        target = path.with_suffix(".png")
        target.mkdir()
        return target
    data = rng.bytes(3000) if rng.random() < 0.3 else texts[int(rng.integers(len(texts)))]
    return _written(path, data, str(rng.choice([".png", ".jpg", ".pdf", ".tif"])))


def _odd_size(page: NDArray[np.uint8], path: Path, rng: np.random.Generator) -> Path:
    sizes = [(1, 1), (1, 30_000), (30_000, 1), (64, 64), (64, 20_000), (20_000, 64), (30_000, 30_000), (65, 300)]
    size = sizes[int(rng.integers(len(sizes)))]
    file = io.BytesIO()
    Image.new("1" if size[0] * size[1] > 1e8 else "RGB", size, int(rng.integers(2))).save(file, "PNG")
    return _written(path, file.getvalue(), ".png")


def _odd_pixels(page: NDArray[np.uint8], path: Path, rng: np.random.Generator) -> Path:
    image = Image.fromarray(page)
    mode = str(rng.choice(["L", "1", "P", "CMYK", "RGBA", "LA", "I;16", "F", "GIF", "tiny", "EXIF"]))
    target = path.with_suffix(".tif")
    if mode == "GIF":
        target = path.with_suffix(".gif")
        image.save(target, save_all=True, append_images=[image.rotate(180), image], duration=50)
    elif mode == "EXIF":
        exif = Image.Exif()
        exif[0x0112] = int(rng.integers(0, 12))
        target = path.with_suffix(".jpg")
        image.save(target, exif=exif)
    elif mode == "F":
        Image.fromarray(np.where(rng.random(page.shape[:2]) < 0.01, np.nan, 0.5).astype(np.float32)).save(target)
    elif mode == "I;16":
        Image.fromarray(page[..., 0].astype(np.uint16) * 200).save(target)
    elif mode == "tiny":
        image.resize((90, 70)).save(target)
    else:
        (image.convert("L") if mode == "LA" else image).convert(mode).save(target)
    return target


def _spoilt(page: NDArray[np.uint8], path: Path, rng: np.random.Generator) -> Path:
    """A readable file whose page is damaged: cut, turned, covered, noisy, inverted."""
    image = np.rot90(page, int(rng.integers(4))).copy()
    h, w = image.shape[:2]
    what = int(rng.integers(5))
    if what == 0:
        image = image[int(rng.integers(h // 2)) :, int(rng.integers(w // 2)) :]
    elif what == 1:
        y, x = int(rng.integers(h // 2)), int(rng.integers(w // 2))
        image[y : y + h // 2, x : x + w // 2] = rng.integers(0, 256, 3)
    elif what == 2:
        image = np.clip(image + rng.normal(0, 60, image.shape), 0, 255).astype(np.uint8)
    elif what == 3:
        image = 255 - image
    data, suffix = _bytes(np.ascontiguousarray(image), rng, "PNG")
    return _written(path, data, suffix)


_KINDS = (_truncated, _flipped, _wrong_suffix, _no_picture, _odd_size, _odd_pixels, _flipped, _spoilt)
