"""A data set in the formats of other tools: COCO, YOLO, PNG masks, WebDataset.

Each export is made from the folder alone, page by page in the order of their indices, and does not depend on the number
of workers.
"""

from ecgdig.dataset.export.coco import write_coco
from ecgdig.dataset.export.masks import write_layers, write_masks
from ecgdig.dataset.export.shards import write_shards
from ecgdig.dataset.export.yolo import write_yolo

EXPORTS = {"coco": write_coco, "yolo": write_yolo, "masks": write_masks, "layers": write_layers}

__all__ = ["EXPORTS", "write_coco", "write_layers", "write_masks", "write_shards", "write_yolo"]
