"""`NameNet`: where in an ink map which lead name stands; `locate/names.py` runs what it learned without torch."""

from __future__ import annotations

import os

import torch
from safetensors.torch import save_file
from torch import nn

from ecgdig.io.atomic import whole_file
from ecgdig.locate.names import LAYERS, TOKENS


class NameNet(nn.Module):
    """Ink maps `(B, 1, H, W)`, sides divisible by 4 -> logits of each token `(B, tokens, H / 4, W / 4)`."""

    def __init__(self) -> None:
        super().__init__()
        convolutions, norms, before = [], [], 1
        for kernel, stride, dilation, channels in LAYERS:
            reach = dilation * (kernel // 2)
            convolutions.append(nn.Conv2d(before, channels, kernel, stride, reach, dilation, bias=False))
            norms.append(nn.BatchNorm2d(channels))
            before = channels
        self.convolutions, self.norms = nn.ModuleList(convolutions), nn.ModuleList(norms)
        self.head = nn.Conv2d(before, len(TOKENS), 1)
        nn.init.constant_(self.head.bias, -5.0)  # nearly all cells are empty

    def forward(self, ink: torch.Tensor) -> torch.Tensor:
        value = ink
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            after = torch.relu(norm(convolution(value)))
            value = after + value if i >= 2 else after
        out: torch.Tensor = self.head(value)
        return out


def save(net: NameNet, path: str | os.PathLike[str]) -> None:
    """Write the weights as fp16 safetensors, the norms folded into the convolutions before them."""
    state: dict[str, torch.Tensor] = {}
    for i, (convolution, norm) in enumerate(zip(net.convolutions, net.norms, strict=True)):
        assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None
        factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        state[f"{i}.weight"] = convolution.weight * factor[:, None, None, None]
        state[f"{i}.bias"] = norm.bias - norm.running_mean * factor
    state |= {"head.weight": net.head.weight, "head.bias": net.head.bias}
    with whole_file(path) as file:
        save_file({name: value.detach().half().contiguous() for name, value in state.items()}, file)
