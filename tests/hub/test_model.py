from __future__ import annotations

import numpy as np
import pytest
import torch
from small_net import HPARAMS, SPEC, small_net

from ecgdig.hub.model import TraceModel
from ecgdig.hub.onnx_net import OnnxNet


class Constant(OnnxNet):
    """A session that says the same of every strip: all heights alike, nothing printed."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []

    def __call__(self, strips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
        self.asked.append(strips.shape)
        b, _, h, w = strips.shape
        return np.full((b, h, 2 * w), 1 / h, np.float32), np.zeros((b, 2 * w), np.float32)


def model(net: object) -> TraceModel:
    return TraceModel(net, SPEC, "small", "0" * 64, (1.0, 0.02))  # type: ignore[arg-type]


def test_a_session_is_asked_as_it_is() -> None:
    net = Constant()
    height, present = model(net).chances(np.zeros((3, 3, 64, 32), np.uint8))
    assert net.asked == [(3, 3, 64, 32)]
    assert (height.shape, present.shape) == ((3, 64, 64), (3, 64))
    assert float(height[0, 5, 7]) == pytest.approx(1 / 64)


def test_a_torch_network_gives_distributions() -> None:
    strips = np.random.default_rng(0).integers(0, 256, (2, 3, 64, 32), dtype=np.uint8)
    net = small_net()
    height, present = model(net).chances(strips)
    assert (height.shape, present.shape) == ((2, 64, 32 * HPARAMS["sub_columns"]), (2, 32 * HPARAMS["sub_columns"]))  # type: ignore[operator]
    np.testing.assert_allclose(height.sum(axis=1), 1, atol=1e-4)
    with torch.inference_mode():
        said = net(torch.from_numpy(strips))
    np.testing.assert_allclose(height, said.height.float().softmax(dim=1).numpy(), atol=1e-4)
    assert ((present >= 0) & (present <= 1)).all()
