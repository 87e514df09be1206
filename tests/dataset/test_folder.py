from __future__ import annotations

import numpy as np

from ecgdig.dataset import Folder, load
from ecgdig.degrade import PRESETS


def test_entries_come_with_picture_truth_and_recording(folder: Folder) -> None:
    again = load(folder.path)
    assert len(again) == 4
    assert [entry.name for entry in again] == [f"p{i:06d}" for i in range(4)]
    for entry in again:
        truth, image = entry.truth(), entry.image()
        assert image.shape == (*truth.page.shape, 3)
        assert truth.recording.fs == 500
        assert np.isfinite(truth.recording.signal_mv).any()
        assert set(truth.drawn["degrade"]) <= set(PRESETS["photo"].steps)
        assert truth.drawn["record"] == entry.row["record"]
        assert float(entry.row["dpi"]) == 60


def test_the_ink_is_where_the_truth_says(folder: Folder) -> None:
    for entry in folder:
        page = entry.truth().page
        grey = entry.image().mean(-1)
        inked = np.zeros(page.shape, bool)
        for i in range(len(page.traces)):
            cover = page.mask(i)
            inked |= cover > cover.max() // 2
        assert inked.sum() > 1000
        near = np.roll(inked, 12, axis=0) & ~inked  # paper under the same light
        assert np.median(grey[inked]) < np.median(grey[near]) - 5
