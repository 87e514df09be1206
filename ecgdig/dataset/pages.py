"""A data set on disk as a torch `Dataset` of whole pages."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from ecgdig.dataset.export.classes import lead_class
from ecgdig.dataset.export.masks import layer_image
from ecgdig.dataset.folder import Folder
from ecgdig.units import LEADS, OUTPUT_FS

Item = dict[str, Any]


class PagesOnDisk(Dataset[Item]):
    """Item i: one page of a folder that `scripts/render.py` made. Pages differ in size: use `batch_size=None`, or crop.

    Items are dictionaries:

    - `image` uint8 `(3, H, W)`;
    - `layers` int32 `(H, W)`: bit k is lead k of `units.LEADS`, bit 12 any other lead; traces that cross keep theirs;
    - `keypoints` float32 `(n, 2, 2)`: x, y px of each segment's start and end on its baseline, and `leads` int64
      `(n,)`: which lead, 12 = another;
    - `signal_mv` float32 `(12, samples)` at 500 Hz, what is printed; NaN where nothing is;
    - `name`: of the page.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Folder(folder)

    def __len__(self) -> int:
        return len(self.folder)

    def __getitem__(self, index: int) -> Item:
        entry = self.folder[index]
        truth = entry.truth()
        page = truth.page
        recording = truth.recording.select(LEADS).resample(OUTPUT_FS)
        return {
            "image": torch.from_numpy(np.ascontiguousarray(entry.image().transpose(2, 0, 1))),
            "layers": torch.from_numpy(layer_image(page).astype(np.int32)),
            "keypoints": torch.from_numpy(page.keypoints_px().astype(np.float32)),
            "leads": torch.tensor([lead_class(s.lead) for s in page.layout.segments]),
            "signal_mv": torch.from_numpy(recording.signal_mv),
            "name": entry.name,
        }
