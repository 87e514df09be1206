from __future__ import annotations

import numpy as np
import yaml

from ecgdig.dataset import Folder
from ecgdig.dataset.export import write_yolo
from ecgdig.dataset.export.classes import CLASSES
from ecgdig.dataset.export.yolo import boxes


def test_labels_name_the_boxes_of_their_pictures(folder: Folder) -> None:
    description = yaml.safe_load(write_yolo(folder, 0, lambda entries: entries).read_text())
    assert list(description["names"].values()) == list(CLASSES)
    assert (folder.path / description["train"]).is_dir()
    for entry in folder:
        table = np.loadtxt(folder.path / "labels" / f"{entry.name}.txt", ndmin=2)
        height, width = entry.truth().page.shape
        middle, size = table[:, 1:3] * [width, height], table[:, 3:] * [width, height]
        wanted = boxes(entry)
        assert table[:, 0].astype(int).tolist() == [number for number, *_ in wanted]
        corners = np.hstack([middle - size / 2, middle + size / 2])
        np.testing.assert_allclose(corners, [box for _, *box in wanted], atol=0.01)
        assert (corners > -0.01).all()
        assert (corners[:, 2:] < np.array([width, height]) + 0.01).all()
        leads = {trace.segment.lead.lstrip("-") for trace in entry.truth().page.traces}
        assert leads <= {CLASSES[int(number)] for number in table[:, 0]}
