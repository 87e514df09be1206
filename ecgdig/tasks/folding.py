"""Convolutions with their norms, for the small networks that are run without torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def plain_layer(convolution: nn.Module, norm: nn.Module, value: Tensor, stride: int, dilation: int) -> Tensor:
    """A convolution with zeros around, its norm, and what is negative made 0."""
    weight = convolution.get_parameter("weight")
    reach = dilation * (weight.shape[2] // 2)
    out: Tensor = norm(F.conv2d(value, weight, None, stride, reach, dilation))
    return torch.relu(out)


def folded(convolutions: nn.ModuleDict, norms: nn.ModuleDict) -> dict[str, Tensor]:
    """Weights and biases by name, each norm put into the convolution before it."""
    state = {}
    for name, convolution in convolutions.items():
        norm = norms[name]
        assert isinstance(norm, nn.BatchNorm2d)
        mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
        factor = norm.get_parameter("weight") / torch.sqrt(variance + norm.eps)
        state[f"{name}.weight"] = convolution.get_parameter("weight") * factor[:, None, None, None]
        state[f"{name}.bias"] = norm.get_parameter("bias") - mean * factor
    return state
