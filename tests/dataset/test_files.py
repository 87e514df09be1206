from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from ecgdig.dataset.files import Encoding, files_of, page_name, sweep, write_page
from ecgdig.degrade.presets import apply
from ecgdig.io import read_wfdb
from ecgdig.page import Page


@pytest.mark.parametrize("suffix, quality, exact", [("png", 95, True), ("webp", 100, True), ("jpg", 95, False)])
def test_pictures_are_read_back(suffix: str, quality: int, exact: bool, flat_page: Page) -> None:
    image = flat_page.image.copy()
    image[:40, :40] = (200, 30, 10)  # red must stay red
    data = Encoding(suffix, quality).encode(image)
    back = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(back.astype(int) - image).max() <= (0 if exact else 60)
    np.testing.assert_allclose(back[20, 20], (200, 30, 10), atol=0 if exact else 4)


def test_a_page_that_is_to_be_a_jpeg_is_written_as_one(flat_page: Page, tmp_path: Path) -> None:
    degraded = apply(flat_page, {"noise": 0.5, "jpeg": 0.9}, np.random.default_rng(5))
    left = apply(flat_page, {"noise": 0.5, "jpeg": 0.9}, np.random.default_rng(5), for_jpeg=True)
    assert degraded.jpeg_quality is None
    assert left.degradation_values == degraded.degradation_values
    assert left.degradation_values["jpeg.quality"] == (left.jpeg_quality,)
    row = write_page(tmp_path, "p1", left, {}, Encoding("jpg", 95))
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / row["image"]))[..., ::-1], degraded.image)
    assert np.abs(left.image.astype(int) - degraded.image).max() > 4


@pytest.mark.parametrize("suffix, quality", [("bmp", 95), ("jpg", 0), ("webp", 101)])
def test_bad_encodings_are_refused(suffix: str, quality: int) -> None:
    with pytest.raises(ValueError, match=r"bmp|want 1 to 100"):
        Encoding(suffix, quality)


def test_columns_name_all_files_and_their_sha(flat_page: Page, tmp_path: Path) -> None:
    row = write_page(tmp_path, page_name(12), flat_page, {}, Encoding("png"))
    files = files_of(row)
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()} == set(files)
    sha = [row["image_sha256"], row["labels_sha256"], *row["truth_sha256"].split()]
    assert [hashlib.sha256((tmp_path / file).read_bytes()).hexdigest() for file in files] == sha
    assert (tmp_path / f"{row['truth']}.hea").is_file()


def test_whole_recordings_are_kept_where_asked(flat_page: Page, tmp_path: Path) -> None:
    row = write_page(tmp_path, "p7", flat_page, {}, Encoding(records="both"))
    printed, whole = (read_wfdb(tmp_path / "truth" / f"p7{part}.hea") for part in ("", "_whole"))
    assert row["truth"] == "truth/p7"
    assert {"truth/p7_whole.hea", "truth/p7.hea"} <= set(files_of(row))
    assert flat_page.source is not None
    np.testing.assert_allclose(whole.lead("V1"), flat_page.source.resample(whole.fs).lead("V1"), atol=1e-3)
    assert np.isfinite(whole.signal_mv).all()
    assert np.isnan(printed.lead("V1")).any()
    known = np.isfinite(printed.lead("V1"))
    np.testing.assert_allclose(printed.lead("V1")[known], whole.lead("V1")[: len(known)][known], atol=0.02)
    with pytest.raises(ValueError, match="unknown records 'none'; use printed, both"):
        Encoding(records="none")


def test_sweep_takes_leftovers_only(flat_page: Page, tmp_path: Path) -> None:
    row = write_page(tmp_path, "p1", flat_page, {}, Encoding())
    (tmp_path / "images" / ".p2.123.tmp.jpg").write_bytes(b"half a picture")
    sweep(tmp_path)
    assert len(list((tmp_path / "images").iterdir())) == 1
    assert all((tmp_path / file).is_file() for file in files_of(row))
