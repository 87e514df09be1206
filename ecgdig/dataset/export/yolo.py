"""YOLO text: `labels/NAME.txt` beside `images/NAME.jpg`, a line a box: class, centre x, centre y, width, height.

All four are shares of the picture's width or height. Format: https://docs.ultralytics.com/datasets/detect/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from ecgdig.dataset.export.classes import CLASSES, lead_class, mark_class
from ecgdig.dataset.export.pages import mapped
from ecgdig.dataset.export.shapes import quad_box, trace_mask
from ecgdig.dataset.folder import Entry, Folder
from ecgdig.io.atomic import whole_file

FOLDER, DESCRIPTION = "labels", "yolo.yaml"


def write_yolo(folder: Folder, workers: int, watch: Callable[[Iterable[Entry]], Iterable[Entry]]) -> Path:
    """Write `labels/` and `yolo.yaml`, which names the classes (its path is relative to where training starts)."""
    for _ in zip(watch(folder), mapped(partial(_write, folder.path), folder, workers), strict=True):
        pass
    target = folder.path / DESCRIPTION
    names = "\n".join(f"  {i}: {name}" for i, name in enumerate(CLASSES))
    with whole_file(target) as file:
        file.write_text(f"path: .\ntrain: images\nval: images\nnames:\n{names}\n")
    return target


def boxes(entry: Entry) -> list[tuple[int, float, float, float, float]]:
    """Class and left, top, right, bottom in px from the picture's corner: the ink of each segment, then each mark."""
    page = entry.truth().page
    found: list[tuple[int, float, float, float, float]] = []
    for i, trace in enumerate(page.traces):
        box = trace_mask(page, i).box
        if box is not None:
            found.append((lead_class(trace.segment.lead), *box))
    for mark, corners in zip(page.marks, page.boxes_px(), strict=True):
        seen = quad_box(corners, page.shape)
        if seen is not None:
            found.append((mark_class(mark.kind), *seen))
    return found


def _write(folder: Path, entry: Entry) -> None:
    width, height = float(entry.row["width_px"]), float(entry.row["height_px"])
    lines = []
    for number, left, top, right, bottom in boxes(entry):
        shares = (
            (left + right) / 2 / width,
            (top + bottom) / 2 / height,
            (right - left) / width,
            (bottom - top) / height,
        )
        lines.append(f"{number} " + " ".join(f"{share:.6f}" for share in shares))
    with whole_file(folder / FOLDER / f"{entry.name}.txt") as file:
        file.write_text("".join(f"{line}\n" for line in lines))
