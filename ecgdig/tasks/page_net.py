"""`PageNet`: the geometry of a page at a glance; `grid/overview.py` runs what it learned without torch."""

from __future__ import annotations

import os

from safetensors.torch import save as to_bytes
from torch import Tensor, nn
from torch.nn import functional as F

from ecgdig.grid.overview import COLOURS, HEADS, UNSHUFFLE, layers, shapes
from ecgdig.io.atomic import whole_file
from ecgdig.tasks.folding import folded, plain_layer


class PageNet(nn.Module):
    """Pictures uint8 `(B, 4, H, W)`, sides divisible by 16, and their spectra uint8 `(B, 288, H / 32, W / 32)`.

    Returns the logits of each head, `(B, numbers, H / 16, W / 16)`.

    Args:
        width: so many times the channels of the small network.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.convolutions, self.norms = nn.ModuleDict(), nn.ModuleDict()
        after = 0
        for name, (before, after, kernel) in shapes(width).items():
            self.convolutions[name] = nn.Conv2d(before, after, kernel, bias=False)
            self.norms[name] = nn.BatchNorm2d(after)
        self.heads = nn.Conv2d(after, sum(HEADS.values()), 1)

    def forward(self, pages: Tensor, spectra: Tensor) -> dict[str, Tensor]:
        # the order of `grid.overview.cells`: rows and columns of a cell, then colours
        b, _, h, w = pages.shape
        n = UNSHUFFLE
        parts = (pages.float() / 255 - 0.5).reshape(b, COLOURS, h // n, n, w // n, n)
        value = layers(parts.permute(0, 3, 5, 1, 2, 4).flatten(1, 3), (spectra.float() - 128) / 32, self._layer, _grown)
        return dict(zip(HEADS, self.heads(value).split(list(HEADS.values()), dim=1), strict=True))

    def _layer(self, name: str, value: Tensor, stride: int, dilation: int) -> Tensor:
        return plain_layer(self.convolutions[name], self.norms[name], value, stride, dilation)


def _grown(value: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(value, scale_factor=2.0, mode="nearest")[..., : like.shape[2], : like.shape[3]]


def save(net: PageNet, path: str | os.PathLike[str]) -> None:
    """Write the weights as fp16 safetensors."""
    state = folded(net.convolutions, net.norms) | {f"heads.{k}": v for k, v in net.heads.named_parameters()}
    with whole_file(path) as file:
        file.write_bytes(to_bytes({name: value.detach().half().contiguous() for name, value in state.items()}))
