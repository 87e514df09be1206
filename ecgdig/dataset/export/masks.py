"""PNG masks of the traces, as large as the picture.

`masks/NAME.png`, 8 bits: 0 paper, 1 to 12 the leads in the order of `units.LEADS`, 13 any other lead. Where traces
cross, the segment that comes later in the layout's order (rows downwards, rhythm strips last) is shown.

`layers/NAME.png`, 16 bits: bit k (value 2 to the k) is lead k + 1, so that traces which cross keep all their pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ecgdig.dataset.export.classes import lead_class
from ecgdig.dataset.export.pages import mapped
from ecgdig.dataset.export.shapes import trace_mask
from ecgdig.dataset.folder import Entry, Folder
from ecgdig.io.atomic import whole_file
from ecgdig.page import Page

MASKS, LAYERS = "masks", "layers"
Watch = Callable[[Iterable[Entry]], Iterable[Entry]]


def write_masks(folder: Folder, workers: int, watch: Watch) -> Path:
    """Write `masks/`."""
    return _write_all(folder, MASKS, label_image, workers, watch)


def write_layers(folder: Folder, workers: int, watch: Watch) -> Path:
    """Write `layers/`."""
    return _write_all(folder, LAYERS, layer_image, workers, watch)


def label_image(page: Page) -> NDArray[np.uint8]:
    """Lead numbers, uint8 `(H, W)`."""
    out = np.zeros(page.shape, np.uint8)
    for i, trace in enumerate(page.traces):
        mask = trace_mask(page, i)
        rows, columns = mask.inside.shape
        out[mask.top : mask.top + rows, mask.left : mask.left + columns][mask.inside] = (
            lead_class(trace.segment.lead) + 1
        )
    return out


def layer_image(page: Page) -> NDArray[np.uint16]:
    """Bits of the leads, uint16 `(H, W)`."""
    out = np.zeros(page.shape, np.uint16)
    for i, trace in enumerate(page.traces):
        mask = trace_mask(page, i)
        rows, columns = mask.inside.shape
        part = out[mask.top : mask.top + rows, mask.left : mask.left + columns]
        part[mask.inside] |= np.uint16(1 << lead_class(trace.segment.lead))
    return out


def _write_all(
    folder: Folder, room: str, draw: Callable[[Page], NDArray[np.integer]], workers: int, watch: Watch
) -> Path:
    for _ in zip(watch(folder), mapped(partial(_write, folder.path / room, draw), folder, workers), strict=True):
        pass
    return folder.path / room


def _write(room: Path, draw: Callable[[Page], NDArray[np.integer]], entry: Entry) -> None:
    done, data = cv2.imencode(".png", draw(entry.truth().page), [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise ValueError(f"{entry.name}: its mask does not fit into a PNG file")
    with whole_file(room / f"{entry.name}.png") as file:
        file.write_bytes(data.tobytes())
