"""Checkpoints of older formats, rewritten into what today's network computes.

Format 1 (November 2026): the two full-resolution convolutions ran over value columns, between which the picture was
interpolated; since format 2 they run over pixel columns with the value columns of a pixel as channels.

Format 2: sigma's factor and floor were those of the network's own spreads; since format 3 readings are fitted to the
ink, and their spread is a standard error already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

State = dict[str, Tensor]


def upgraded(config: Mapping[str, Any], state: State) -> tuple[dict[str, Any], State]:
    """The network's arguments (config's "network") and weights in today's format.

    The outermost pixel column of a strip differs from what format 1 gave: the picture was held there, and is 0 now.
    """
    network = dict(config["network"])
    if config["format"] == 1:
        sub = int(network["sub_columns"])
        state = _pixel_columns(state, int(network["features"]), sub)
        network["refine"] = int(network["refine"]) * sub
    return network, state


def _pixel_columns(state: State, features: int, sub: int) -> State:
    first = state["refine.0.weight"]  # (refine, features + 3, 3, 3)
    second = state["refine.2.weight"]  # (2, refine, 3, 3): height and mask
    ink = _as_channels(first[:, :features], sub)
    picture = _over_picture(first[:, features:], sub)
    height = _as_channels(second[:1], sub)
    mask = _as_channels(second[1:], sub).mean(0, keepdim=True)
    bias = state["refine.2.bias"]
    return {
        **state,
        "refine.0.weight": torch.cat([ink, picture], 1),
        "refine.0.bias": state["refine.0.bias"].repeat(sub),
        "refine.2.weight": torch.cat([height, mask], 0),
        "refine.2.bias": torch.cat([bias[:1].repeat(sub), bias[1:]]),
    }


def _as_channels(weight: Tensor, sub: int) -> Tensor:
    """A convolution over value columns as one over pixel columns: `(out, in, 3, 3)` -> `(sub·out, sub·in, 3, 3)`."""
    n_out, n_in = weight.shape[:2]
    new = weight.new_zeros(sub, n_out, sub, n_in, 3, 3)
    for s in range(sub):
        for k in range(3):
            pixel, column = divmod(s + k - 1, sub)
            new[s, :, column, :, :, pixel + 1] = weight[..., k]
    return new.reshape(sub * n_out, sub * n_in, 3, 3)


def _over_picture(weight: Tensor, sub: int) -> Tensor:
    """The same where the input is a picture interpolated between pixel columns: `(sub·out, in, 3, 3)`."""
    n_out, n_in = weight.shape[:2]
    new = weight.new_zeros(sub, n_out, n_in, 3, 3)
    for s in range(sub):
        for k in range(3):
            at = (s + k - 1 + 0.5) / sub - 0.5  # where the value column lies, in pixel columns
            left = int(at // 1)
            for pixel, share in ((left, 1 - (at - left)), (left + 1, at - left)):
                if share:
                    new[s, ..., pixel + 1] += share * weight[..., k]
    return new.reshape(sub * n_out, n_in, 3, 3)
