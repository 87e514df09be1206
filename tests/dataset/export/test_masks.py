from __future__ import annotations

import cv2
import numpy as np

from ecgdig.dataset import Folder
from ecgdig.dataset.export import write_layers, write_masks
from ecgdig.dataset.export.shapes import trace_mask
from ecgdig.units import LEADS


def test_opencv_reads_labels_and_layers(folder: Folder) -> None:
    masks, layers = (write(folder, 0, lambda entries: entries) for write in (write_masks, write_layers))
    for entry in folder:
        page = entry.truth().page
        label = cv2.imread(str(masks / f"{entry.name}.png"), cv2.IMREAD_UNCHANGED)
        layer = cv2.imread(str(layers / f"{entry.name}.png"), cv2.IMREAD_UNCHANGED)
        assert label.dtype == np.uint8
        assert layer.dtype == np.uint16
        assert label.shape == layer.shape == page.shape
        np.testing.assert_array_equal(label > 0, layer > 0)
        for number, lead in enumerate(LEADS):
            inked = np.zeros(page.shape, bool)
            for i, trace in enumerate(page.traces):
                if trace.segment.lead == lead:
                    mask = trace_mask(page, i)
                    rows, columns = mask.inside.shape
                    inked[mask.top : mask.top + rows, mask.left : mask.left + columns] |= mask.inside
            np.testing.assert_array_equal((layer & (1 << number)) > 0, inked)
            assert not ((label == number + 1) & ~inked).any()
        last = trace_mask(page, len(page.traces) - 1)  # shown on top
        rows, columns = last.inside.shape
        part = label[last.top : last.top + rows, last.left : last.left + columns][last.inside]
        assert (part == LEADS.index(page.traces[-1].segment.lead) + 1).all()
