"""COCO JSON: an instance for every printed segment (run-length mask, box, two keypoints) and for every mark (box).

Format: https://cocodataset.org/#format-data. Category ids count from 1 in the order of `classes.CLASSES`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ecgdig.dataset.export.classes import CLASSES, LEAD_CLASSES, lead_class, mark_class
from ecgdig.dataset.export.pages import mapped
from ecgdig.dataset.export.shapes import packed, quad_box, run_lengths, trace_mask
from ecgdig.dataset.folder import Entry, Folder
from ecgdig.io.atomic import whole_file
from ecgdig.page import Page

FILE = "coco.json"
KEYPOINTS = ("start", "end")  # of the segment's baseline


def write_coco(folder: Folder, workers: int, watch: Callable[[Iterable[Entry]], Iterable[Entry]]) -> Path:
    """Write `coco.json`; image ids are page numbers, annotation ids count from 1. Written page by page, not held."""
    categories = [{"id": i + 1, "name": name, **_kind(name)} for i, name in enumerate(CLASSES)]
    target, n = folder.path / FILE, 0
    with whole_file(target) as temporary, temporary.open("w", encoding="utf-8") as file:
        info = {"description": "ECG pages of ecgdig", "version": "1.0"}
        head = json.dumps({"info": info, "licenses": [], "categories": categories})
        file.write(head[:-1] + ', "annotations": [')
        images = []
        for entry, found in zip(watch(folder), mapped(instances, folder, workers), strict=True):
            size = {"width": int(entry.row["width_px"]), "height": int(entry.row["height_px"])}
            images.append({"id": int(entry.row["index"]), "file_name": entry.row["image"], **size})
            for one in found:
                n += 1
                line = json.dumps({"id": n, "image_id": int(entry.row["index"]), **one})
                file.write((",\n" if n > 1 else "\n") + line)
        file.write('\n], "images": ' + json.dumps(images) + "}\n")
    return target


def instances(entry: Entry) -> list[dict[str, Any]]:
    """The annotations of one page, without ids; what lies wholly outside the picture is left out."""
    page = entry.truth().page
    return [*_segments(page), *_marks(page)]


def _segments(page: Page) -> list[dict[str, Any]]:
    height, width = page.shape
    found = []
    for i, (trace, ends) in enumerate(zip(page.traces, page.keypoints_px(), strict=True)):
        mask = trace_mask(page, i)
        box = mask.box
        if box is None:
            continue
        seen = ((ends >= -0.5) & (ends < [width - 0.5, height - 0.5])).all(-1)
        # COCO: 0 not labelled, 1 labelled but not visible, 2 visible
        points = [[*at, 2 if inside else 1] for at, inside in zip((ends + 0.5).round(2).tolist(), seen, strict=True)]
        segment = trace.segment
        found.append(
            {
                "category_id": lead_class(segment.lead) + 1,
                "segmentation": {"size": [height, width], "counts": packed(run_lengths(mask, page.shape))},
                "area": mask.area,
                "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
                "iscrowd": 0,
                "keypoints": [value for point in points for value in point],
                "num_keypoints": len(KEYPOINTS),
                "lead": segment.lead,
                "row": segment.row,
                "column": segment.column,
            }
        )
    return found


def _marks(page: Page) -> list[dict[str, Any]]:
    found = []
    for mark, corners in zip(page.marks, page.boxes_px(), strict=True):
        box = quad_box(corners, page.shape)
        if box is None:
            continue
        polygon = np.clip(corners + 0.5, 0, [page.shape[1], page.shape[0]]).round(2)
        left, top, right, bottom = (round(v, 2) for v in box)
        found.append(
            {
                "category_id": mark_class(mark.kind) + 1,
                "segmentation": [polygon.reshape(-1).tolist()],
                "area": round((right - left) * (bottom - top), 2),
                "bbox": [left, top, round(right - left, 2), round(bottom - top, 2)],
                "iscrowd": 0,
                "text": mark.text,
            }
        )
    return found


def _kind(name: str) -> dict[str, Any]:
    if name in LEAD_CLASSES:
        return {"supercategory": "lead", "keypoints": list(KEYPOINTS), "skeleton": [[1, 2]]}
    return {"supercategory": "mark"}
