"""Reading a data set from its folder: pages with picture, truth and recording."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgdig.dataset.manifest import read_rows
from ecgdig.dataset.truth import Truth, read_truth
from ecgdig.io.image import read_image


@dataclass(frozen=True)
class Entry:
    """One page of a data set: its row of the manifest, and where its files are."""

    folder: Path
    row: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.row["page"]

    @property
    def image_path(self) -> Path:
        return self.folder / self.row["image"]

    def image(self) -> NDArray[np.uint8]:
        """The picture, uint8 RGB `(H, W, 3)`."""
        return read_image(self.image_path)

    def truth(self) -> Truth:
        """Page (its picture a blank of the right size), recording and drawn degradations.

        Polylines, masks, boxes, keypoints and mm fields are methods of the page.
        """
        return read_truth(self.folder / self.row["labels"])


class Folder:
    """A data set on disk; entries come in the order of the pages' indices.

    Raises:
        FolderError: no data set there, or one whose run did not finish.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.path = Path(folder)
        self.rows = tuple(read_rows(self.path))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Entry:
        return Entry(self.path, self.rows[index])

    def __iter__(self) -> Iterator[Entry]:
        return (Entry(self.path, row) for row in self.rows)


def load(folder: str | os.PathLike[str]) -> Folder:
    """The data set in `folder`, as `scripts/render.py` made it: `for entry in load(folder): entry.truth() …`."""
    return Folder(folder)
