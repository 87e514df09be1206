from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ecgdig.io.image import ImageError, read_image, read_picture

RAMP = np.tile(np.arange(100, dtype=np.uint8)[None, :, None], (80, 1, 3))


def test_reads_what_was_written(tmp_path: Path) -> None:
    Image.fromarray(RAMP).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), RAMP)


def test_exif_orientation_is_obeyed(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    Image.fromarray(RAMP).save(tmp_path / "a.jpg", exif=exif, quality=100)
    assert read_image(tmp_path / "a.jpg").shape == (100, 80, 3)


def test_a_phone_photo_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif", reason="an extra of its own: its wheels carry GPL codecs")
    shades = np.add.outer(np.arange(64), np.arange(96)).astype(np.uint8)
    heif.from_pillow(Image.fromarray(np.stack([shades] * 3, -1))).save(tmp_path / "a.heic", quality=95)
    (tmp_path / "a.heic").rename(tmp_path / "upload")
    read = read_picture(tmp_path / "upload").rgb
    assert np.abs(read[..., 0].astype(int) - shades).mean() < 3


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "RGBA", "LA", "I;16"])
def test_other_kinds_of_pixels_become_rgb(tmp_path: Path, mode: str) -> None:
    file = tmp_path / ("a.tif" if mode in {"CMYK", "I;16"} else "a.png")
    if mode == "I;16":
        Image.fromarray(RAMP[..., 0].astype(np.uint16) * 300).save(file)
    else:
        Image.fromarray(RAMP).convert("L" if mode == "LA" else "RGB").convert(mode).save(file)
    image = read_image(file)
    assert image.dtype == np.uint8
    assert image.shape == (80, 100, 3)
    assert image[:, -1].mean() > image[:, 0].mean()


def test_transparent_is_white(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((80, 80, 4), np.uint8)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").min() == 255


def _truncated(file: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)).save(file)
    file.write_bytes(file.read_bytes()[:5000])


def _text(file: Path) -> None:
    file.write_text("I, II, III\n0.1, 0.2, 0.1\n")


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _one_pixel(file: Path) -> None:
    Image.fromarray(np.zeros((1, 1, 3), np.uint8)).save(file)


def _bomb(file: Path) -> None:
    Image.new("1", (30_000, 30_000)).save(file)


def _nothing(file: Path) -> None: ...


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_truncated, "damaged"),
        (_text, "not a picture"),
        (_empty, "not a picture"),
        (_one_pixel, "too small"),
        (_bomb, "pixels|megapixels"),
        (_nothing, "no such file"),
    ],
)
def test_bad_files_get_one_line(tmp_path: Path, make: object, says: str) -> None:
    file = tmp_path / "page.png"
    make(file)  # type: ignore[operator]
    with pytest.raises(ImageError, match=says) as caught:
        read_image(file)
    assert "\n" not in str(caught.value)
    assert "page.png" in str(caught.value)
