"""`NameNet`: where in an ink map which lead name stands; `locate/names.py` runs what it learned without torch."""

from __future__ import annotations

import os

import torch
from safetensors.torch import save as to_bytes
from torch import nn

from ecgdig.io.atomic import whole_file
from ecgdig.locate.names import LAYERS, TOKENS

_EPS = 1e-5


class _Block(nn.Module):
    """A convolution and its norm."""

    def __init__(self, before: int, kernel: int, stride: int, dilation: int, channels: int) -> None:
        super().__init__()
        reach = dilation * (kernel // 2)
        self.convolution = nn.Conv2d(before, channels, kernel, stride, reach, dilation, bias=False)
        self.norm = nn.BatchNorm2d(channels, eps=_EPS)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.norm(self.convolution(value)))

    def folded(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight and bias of one convolution that does the same."""
        mean, variance = self.norm.get_buffer("running_mean"), self.norm.get_buffer("running_var")
        factor = self.norm.weight / torch.sqrt(variance + _EPS)
        return self.convolution.weight * factor[:, None, None, None], self.norm.bias - mean * factor


class NameNet(nn.Module):
    """Ink maps `(B, 1, H, W)`, sides divisible by 4 -> logits of each token `(B, tokens, H / 4, W / 4)`."""

    def __init__(self) -> None:
        super().__init__()
        before = [1, *(channels for *_, channels in LAYERS)]
        self.blocks = nn.ModuleList(_Block(n, *layer) for n, layer in zip(before, LAYERS, strict=False))
        self.head = nn.Conv2d(before[-1], len(TOKENS), 1)
        nn.init.constant_(self.head.get_parameter("bias"), -5.0)  # nearly all cells are empty

    def forward(self, ink: torch.Tensor) -> torch.Tensor:
        value = ink
        for i, block in enumerate(self.blocks):
            after = block(value)
            value = after + value if i >= 2 else after
        out: torch.Tensor = self.head(value)
        return out


def save(net: NameNet, path: str | os.PathLike[str]) -> None:
    """Write the weights as fp16 safetensors, the norms folded into the convolutions before them."""
    state: dict[str, torch.Tensor] = {
        "head.weight": net.head.get_parameter("weight"),
        "head.bias": net.head.get_parameter("bias"),
    }
    for i, block in enumerate(net.blocks):
        assert isinstance(block, _Block)
        state[f"{i}.weight"], state[f"{i}.bias"] = block.folded()
    with whole_file(path) as file:
        file.write_bytes(to_bytes({name: value.detach().half().contiguous() for name, value in state.items()}))
