"""Convolution in numpy, for the small networks that run without torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
_TILE = 24  # rows of the result at a time


def convolved(value: Array, weight: Array, bias: Array, stride: int = 1, dilation: int = 1) -> Array:
    """`value` `(h, w, in)` with a kernel `(out, in, k, k)`, zeros around: `(h // stride, w // stride, out)`."""
    k = weight.shape[2]
    reach = dilation * (k // 2)
    h, w, channels = value.shape
    padded = np.pad(value, ((reach, reach), (reach, reach), (0, 0)))
    flat = np.ascontiguousarray(weight.transpose(2, 3, 1, 0).reshape(k * k * channels, -1))
    out = np.empty((h // stride, w // stride, weight.shape[0]), np.float32)
    for top in range(0, out.shape[0], _TILE):
        rows = min(_TILE, out.shape[0] - top)
        parts = [
            padded[
                top * stride + i * dilation : (top + rows - 1) * stride + i * dilation + 1 : stride,
                j * dilation : (out.shape[1] - 1) * stride + j * dilation + 1 : stride,
            ]
            for i in range(k)
            for j in range(k)
        ]
        out[top : top + rows] = np.concatenate(parts, axis=2) @ flat + bias
    return out
