from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from pycocotools.coco import COCO

from ecgdig.dataset import Entry, Folder
from ecgdig.dataset.export import write_coco
from ecgdig.dataset.export.classes import CLASSES
from ecgdig.dataset.export.shapes import trace_mask


def unwatched(entries: Iterable[Entry]) -> Iterable[Entry]:
    return entries


def test_pycocotools_reads_masks_boxes_and_keypoints(folder: Folder) -> None:
    path = write_coco(folder, 0, unwatched)
    coco = COCO(str(path))
    assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == list(CLASSES)
    assert sorted(coco.getImgIds()) == [0, 1, 2, 3]
    for entry in folder:
        page = entry.truth().page
        image = coco.loadImgs(int(entry.row["index"]))[0]
        assert (folder.path / image["file_name"]).is_file()
        assert (image["height"], image["width"]) == page.shape
        found = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        segments = [one for one in found if "lead" in one]
        assert [one["lead"] for one in segments] == [s.lead for s in page.layout.segments]
        for i, one in enumerate(segments):
            mask = trace_mask(page, i)
            rows, columns = mask.inside.shape
            whole = np.zeros(page.shape, bool)
            whole[mask.top : mask.top + rows, mask.left : mask.left + columns] = mask.inside
            np.testing.assert_array_equal(coco.annToMask(one).astype(bool), whole)
            assert one["area"] == whole.sum()
            x, y, width, height = one["bbox"]
            assert whole[y : y + height, x : x + width].sum() == whole.sum()
            points = np.array(one["keypoints"]).reshape(2, 3)
            np.testing.assert_allclose(points[:, :2] - 0.5, page.keypoints_px()[i], atol=0.006)
            assert set(points[:, 2]) <= {1, 2}
            assert coco.loadCats(one["category_id"])[0]["name"] == one["lead"]
        for one in (one for one in found if "lead" not in one):
            assert coco.annToMask(one).shape == page.shape  # polygons too
            assert one["text"]


def test_workers_change_nothing(folder: Folder) -> None:
    first = write_coco(folder, 0, unwatched).read_bytes()
    assert write_coco(folder, 2, unwatched).read_bytes() == first
