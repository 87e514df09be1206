from __future__ import annotations

import numpy as np
import torch
from torch.utils.data import DataLoader

from ecgdig.dataset import Folder
from ecgdig.dataset.pages import PagesOnDisk


def test_items_fit_together(folder: Folder) -> None:
    items = list(DataLoader(PagesOnDisk(folder.path), batch_size=None))
    assert [item["name"] for item in items] == [entry.name for entry in folder]
    for item in items:
        height, width = item["image"].shape[1:]
        assert item["image"].dtype == torch.uint8
        assert item["layers"].shape == (height, width)
        assert 0 < (item["layers"] > 0).float().mean() < 0.3
        assert item["keypoints"].shape == (len(item["leads"]), 2, 2)
        assert item["signal_mv"].shape[0] == 12
        printed = np.isfinite(item["signal_mv"].numpy()).any(1)
        bits = [bool((item["layers"] & (1 << k)).any()) for k in range(12)]
        assert bits == printed.tolist()
