"""`SheetNet`: what stands where on an upright page; `locate/sheet.py` runs what it learned without torch."""

from __future__ import annotations

import os

from safetensors.torch import save as to_bytes
from torch import Tensor, nn
from torch.nn import functional as F

from ecgdig.io.atomic import whole_file
from ecgdig.locate.sheet import LEVELS, MAPS, QUARTERS, STEM, STRIDE, layers, shapes
from ecgdig.tasks.folding import folded, plain_layer


class SheetNet(nn.Module):
    """Pictures uint8 `(B, 3, H, W)`, sides divisible by 16 -> logits.

    Of the maps `(B, 6, H / 2, W / 2)`, and of the quarter turns `(B, 4, H / 16, W / 16)`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.convolutions, self.norms = nn.ModuleDict(), nn.ModuleDict()
        for name, (before, after, kernel) in shapes().items():
            self.convolutions[name] = nn.Conv2d(before, after, kernel, bias=False)
            self.norms[name] = nn.BatchNorm2d(after)
        self.maps = nn.Conv2d(STEM, len(MAPS), 1)
        self.quarters = nn.Conv2d(LEVELS[-1][0], QUARTERS, 1)
        nn.init.constant_(self.maps.get_parameter("bias"), -3.0)  # most of a page is empty

    def forward(self, pages: Tensor) -> tuple[Tensor, Tensor]:
        # the order of `locate.sheet.cells`: rows and columns of a cell, then colours
        b, colours, h, w = pages.shape
        parts = (pages.float() / 255 - 0.5).reshape(b, colours, h // STRIDE, STRIDE, w // STRIDE, STRIDE)
        value = parts.permute(0, 3, 5, 1, 2, 4).flatten(1, 3)
        fine, deep = layers(value, self._layer, lambda v, _: F.interpolate(v, scale_factor=2.0, mode="nearest"))
        return self.maps(fine), self.quarters(deep)

    def _layer(self, name: str, value: Tensor, stride: int, dilation: int) -> Tensor:
        return plain_layer(self.convolutions[name], self.norms[name], value, stride, dilation)


def save(net: SheetNet, path: str | os.PathLike[str]) -> None:
    """Write the weights as fp16 safetensors."""
    state = folded(net.convolutions, net.norms)
    for head in ("maps", "quarters"):
        state |= {f"{head}.{part}": value for part, value in net.get_submodule(head).named_parameters()}
    with whole_file(path) as file:
        file.write_bytes(to_bytes({name: value.detach().half().contiguous() for name, value in state.items()}))
