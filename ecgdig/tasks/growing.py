"""A larger trace network that begins where a smaller one stands: the same answers, more to learn with.

Net2Net (Chen, Goodfellow and Shlens 2016): new residual blocks begin as identities, and what was there does not listen
to new channels yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from ecgdig.tasks.trace_net import TraceNet

_NEW_BLOCK = re.compile(r"unet\.encoder\.model\.layer\d+\.[1-9]\d*\.")
_LAST_NORM = re.compile(r"\.bn2\.(weight|bias)$")
_JOINED = re.compile(r"unet\.decoder\.blocks\.(\d+)\.conv1\.0\.weight")  # sees what comes from below, then the skip


@torch.no_grad()
def grow(net: TraceNet, small: Mapping[str, Tensor]) -> None:
    """Give `net` the weights of a smaller network, so that it answers as that one does (in evaluation mode).

    It may have more blocks a stage, a wider stem and wider decoder stages; block, sub_columns and features must be the
    same.

    Args:
        small: state dictionary of a `TraceNet` with basic residual blocks (resnet10t, resnet18, resnet34 ...).

    Raises:
        ValueError: `net` is no larger version of that network; `net` is then left as it was.
    """
    grown = net.state_dict()
    lost = sorted(set(small) - set(grown))
    if lost:
        raise ValueError(f"the larger network has no {lost[0]}")
    for name, value in grown.items():
        if name in small:
            grown[name] = _widened(name, value, small)
        elif not _NEW_BLOCK.match(name):
            raise ValueError(f"the smaller network has no {name}")
        elif _LAST_NORM.search(name):
            grown[name] = torch.zeros_like(value)
    net.load_state_dict(grown)


def _widened(name: str, value: Tensor, small: Mapping[str, Tensor]) -> Tensor:
    """`value` with the smaller network's in the places of its channels; those do not see the new ones."""
    old = small[name].to(value.dtype)
    if old.shape == value.shape:
        return old.clone()
    if old.dim() != value.dim() or any(a > b for a, b in zip(old.shape, value.shape, strict=True)):
        raise ValueError(f"{name} of shape {tuple(old.shape)} does not go into one of {tuple(value.shape)}")
    if name.startswith(("unet.segmentation_head", "present")) and old.shape[0] != value.shape[0]:
        raise ValueError(f"{name} gives {value.shape[0]} channels, not {old.shape[0]}; features must be the same")
    out = value.clone()
    if value.dim() == 1:
        out[: old.shape[0]] = old
        return out
    out[: old.shape[0]] = 0
    below = old.shape[1]
    joined = _JOINED.match(name)
    if joined and int(joined[1]) > 0:
        below = small[f"unet.decoder.blocks.{int(joined[1]) - 1}.conv2.0.weight"].shape[0]
    beside = old.shape[1] - below
    out[: old.shape[0], :below] = old[:, :below]
    if beside:
        out[: old.shape[0], value.shape[1] - beside :] = old[:, below:]
    return out
