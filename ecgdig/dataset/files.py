"""A page on disk: the picture in images/, its truth in truth/, each file whole or not there at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.dataset.record_bytes import record_bytes
from ecgdig.dataset.truth import truth_bytes
from ecgdig.degrade.camera import jpeg_bytes
from ecgdig.io.atomic import whole_file
from ecgdig.page import Page

IMAGES, TRUTH = "images", "truth"
FORMATS = ("png", "jpg", "webp")
RECORDS = ("printed", "both")
# measured on pages of 2200 x 1700 px: level 1 with this filter takes a third of the time of level 1 alone for clean
# pages, two thirds for noisy ones, and is 7 to 11 % smaller
_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1, 19, 32)  # 19, 32: IMWRITE_PNG_FILTER (not in all versions' names), UP


@dataclass(frozen=True)
class Encoding:
    """How pictures are stored.

    Attributes:
        suffix: `png` and, from a quality of 100, `webp` are lossless.
        quality: 1 to 100 of jpg and webp; a page that was degraded to a JPEG of its own quality keeps that as jpg.
        records: `printed` stores what is on the page, NaN where nothing is; `both` also the recording it was drawn
            from, whole, as the record NAME_whole.
    """

    suffix: str = "jpg"
    quality: int = 95
    records: str = "printed"

    def __post_init__(self) -> None:
        if self.suffix not in FORMATS:
            raise ValueError(f"unknown picture format {self.suffix!r}; use {', '.join(FORMATS)}")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality {self.quality}; want 1 to 100")
        if self.records not in RECORDS:
            raise ValueError(f"unknown records {self.records!r}; use {', '.join(RECORDS)}")

    def encode(self, image: NDArray[np.uint8], jpeg_quality: int | None = None) -> bytes:
        """`image`, uint8 RGB `(H, W, 3)`, as the content of a file; `jpeg_quality` instead of the usual one, if jpg."""
        if self.suffix == "jpg":
            return jpeg_bytes(image, jpeg_quality or self.quality)
        lossless = self.suffix == "webp" and self.quality == 100
        options = {
            "png": list(_PNG),
            "webp": [cv2.IMWRITE_WEBP_QUALITY, 101 if lossless else self.quality],  # 101 asks for lossless
        }[self.suffix]
        done, data = cv2.imencode(f".{self.suffix}", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
        if not done:
            raise ValueError(f"a page of {image.shape[1]} x {image.shape[0]} px does not fit into a {self.suffix} file")
        return data.tobytes()


def page_name(index: int) -> str:
    return f"p{index:06d}"


def write_page(folder: Path, name: str, page: Page, drawn: Mapping[str, Any], encoding: Encoding) -> dict[str, str]:
    """Write a page's picture and truth; returns the columns that name them: paths, and SHA-256 of each."""
    picture = encoding.encode(page.image, page.jpeg_quality)
    contents = {f"{IMAGES}/{name}.{encoding.suffix}": picture}
    truth = truth_bytes(page, drawn, name)
    if encoding.records == "both":
        whole = record_bytes(page.whole_recording(), f"{name}_whole")[0]
        truth = {f"{name}.npz": truth.pop(f"{name}.npz")} | whole | truth  # the header of what is printed comes last
    contents |= {f"{TRUTH}/{file}": data for file, data in truth.items()}
    for file, data in contents.items():
        with whole_file(folder / file) as temporary:
            temporary.write_bytes(data)
    sha = {file: hashlib.sha256(data).hexdigest() for file, data in contents.items()}
    image, labels, *record = contents
    return {
        "image": image,
        "image_sha256": sha[image],
        "labels": labels,
        "labels_sha256": sha[labels],
        "truth": record[-1].removesuffix(".hea"),
        "truth_files": " ".join(record),
        "truth_sha256": " ".join(sha[file] for file in record),
    }


def files_of(row: Mapping[str, str]) -> list[str]:
    """Every file of a page, relative to the data set's folder."""
    return [row["image"], row["labels"], *row["truth_files"].split()]


def sweep(folder: Path) -> None:
    """Remove what writers that were killed left behind."""
    for room in (IMAGES, TRUTH):
        for temporary in (folder / room).glob(".*.tmp*"):
            temporary.unlink(missing_ok=True)
