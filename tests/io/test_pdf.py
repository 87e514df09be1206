from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ecgdig.io.image import ImageError, count_pages, read_image, read_picture


@pytest.fixture
def two_pages(tmp_path: Path) -> Path:
    pages = [Image.new("RGB", (825, 638), colour) for colour in ("white", "red")]
    pages[0].save(tmp_path / "two.pdf", save_all=True, append_images=pages[1:], resolution=200)
    return tmp_path / "two.pdf"


def test_each_page_has_the_resolution_of_its_scan(two_pages: Path) -> None:
    assert count_pages(two_pages) == 2
    first, second = read_image(two_pages), read_image(two_pages, 2)
    assert first.shape[:2] == pytest.approx((638, 825), abs=2)
    assert first.mean() > 250
    np.testing.assert_allclose(second[300, 400], [255, 0, 0], atol=8)


def test_pages_that_are_not_there_are_named(two_pages: Path) -> None:
    with pytest.raises(ImageError, match="no page 3; it has 2"):
        read_picture(two_pages, 3)


def test_damaged_pdfs_get_one_line(tmp_path: Path) -> None:
    file = tmp_path / "bad.pdf"
    file.write_bytes(b"%PDF-1.7\nnothing more")
    with pytest.raises(ImageError, match=r"bad\.pdf: not a readable PDF") as caught:
        read_image(file)
    assert "\n" not in str(caught.value)
