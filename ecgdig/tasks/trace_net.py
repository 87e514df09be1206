"""The trace network: a U-Net of smp between pixel-unshuffle and pixel-shuffle, refined at full resolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import segmentation_models_pytorch as smp
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F


class TraceOutput(NamedTuple):
    """What the network says about a batch of strips, as logits; columns = width · sub_columns."""

    height: Tensor  # (B, H, columns): which row the trace runs through
    present: Tensor  # (B, columns): whether something of this row is printed
    mask: Tensor  # (B, H, W): ink of this row


class TraceNet(nn.Module):
    """Strip -> distribution over heights, presence and ink mask for each value column.

    The U-Net works on blocks of `block` × `block` pixels. Its answer is shuffled back, with `features` channels for
    each of the `sub_columns` values of a pixel column, and combined with the strip itself by two small convolutions,
    which place the trace to a fraction of a pixel.

    Args:
        encoder: an encoder of segmentation-models-pytorch, e.g. `tu-resnet10t`, `resnet18`.
        depth: its number of stages; heights and widths of strips are multiples of block · 2^depth.
        decoder_channels: one per stage.
        block: edge of the unshuffled blocks, px.
        sub_columns: values per pixel column.
        features: channels handed to the full resolution for each value column.
        refine: channels of the full-resolution convolutions.
    """

    def __init__(
        self,
        encoder: str = "tu-resnet10t",
        depth: int = 4,
        decoder_channels: Sequence[int] = (128, 96, 64, 64),
        block: int = 4,
        sub_columns: int = 2,
        features: int = 6,
        refine: int = 16,
    ) -> None:
        super().__init__()
        self.block, self.sub_columns, self.features = block, sub_columns, features
        self.multiple = block * 2**depth
        self.unet = smp.Unet(
            encoder,
            encoder_weights=None,
            encoder_depth=depth,
            decoder_channels=list(decoder_channels),
            in_channels=3 * block * block + 1,  # and the height in the strip: which row is the middle one
            classes=features * block * block * sub_columns,
        )
        self.refine = nn.Sequential(
            nn.Conv2d(features * sub_columns + 3, refine, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(refine, sub_columns + 1, 3, padding=1),
        )
        self.present = nn.Conv1d(2 * features, 1, 9, padding=4)

    def forward(self, strips: Tensor) -> TraceOutput:
        """`strips`: uint8 or float `(B, 3, H, W)`, 0 to 255; H and W multiples of `multiple`."""
        b, _, h, w = strips.shape
        if h % self.multiple or w % self.multiple:
            raise ValueError(f"strips of {h} x {w} px; want multiples of {self.multiple}")
        x = normalise(strips)
        blocks = F.pixel_unshuffle(x, self.block)  # (B, 3·block², H/block, W/block)
        level = torch.linspace(-1, 1, h // self.block, device=x.device, dtype=blocks.dtype)
        level = level.view(1, 1, -1, 1).expand(b, 1, -1, w // self.block)
        blocks = torch.cat([blocks, level], 1).contiguous(memory_format=torch.channels_last)
        coarse = self.unet(blocks)  # (B, features·block²·sub, H/block, W/block)
        fine = self._shuffle(coarse)  # (B, sub·features, H, W)
        both = torch.cat([fine, x.to(fine.dtype)], 1).contiguous(memory_format=torch.channels_last)
        out = self.refine(both).float()
        summary = torch.stack([fine.amax(2), fine.mean(2)], 1)  # (B, 2, sub·features, W)
        summary = self._interleave(summary.view(b, 2, self.sub_columns, self.features, w).transpose(1, 2))
        height = self._interleave(out[:, :-1])
        return TraceOutput(height, self.present(summary.flatten(1, 2))[:, 0].float(), out[:, -1])

    def _shuffle(self, coarse: Tensor) -> Tensor:
        b, _, h, w = coarse.shape
        blocks = coarse.view(b, self.features, self.block, self.block, self.sub_columns, h, w)
        return blocks.permute(0, 4, 1, 5, 2, 6, 3).reshape(b, -1, h * self.block, w * self.block)

    def _interleave(self, values: Tensor) -> Tensor:
        """`(B, sub, ..., W)` -> `(B, ..., W · sub)`: the values of a pixel column side by side."""
        return values.movedim(1, -1).flatten(-2)


def normalise(strips: Tensor) -> Tensor:
    """Strips `(B, 3, H, W)` with the mean of each colour at 0 and the standard deviation over all at 1, float32."""
    x = strips.float()
    # axis by axis: onnxruntime adds up in float32, and over all pixels at once it loses a digit
    x = x - x.mean(3, keepdim=True).mean(2, keepdim=True)
    power = x.square().mean(3, keepdim=True).mean((1, 2), keepdim=True)
    return x / (power.sqrt() + 4.0)  # 4 grey levels: an empty strip stays quiet


class Chances(nn.Module):
    """A trace network with probabilities instead of logits, without the mask: what reading needs."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, strips: Tensor) -> tuple[Tensor, Tensor]:
        """`strips` as in `TraceNet`; distributions over heights `(B, H, columns)` and presence `(B, columns)`."""
        out = self.net(strips)
        return torch.softmax(out.height, 1).float(), torch.sigmoid(out.present).float()


@torch.inference_mode()
def chances(net: nn.Module, strips: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What `Chances` gives for arrays, on whatever device the network is."""
    device = next(net.parameters()).device
    chance, present = Chances(net)(torch.from_numpy(strips).to(device))
    return chance.cpu().numpy(), present.cpu().numpy()
