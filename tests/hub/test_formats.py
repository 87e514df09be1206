from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from ecgdig import hub
from ecgdig.hub.files import digest
from ecgdig.tasks.trace_net import TraceNet, normalise


class FirstFormat(nn.Module):
    """What the network of format 1 computed, written anew from its description."""

    def __init__(self, sub: int, features: int, refine: int) -> None:
        super().__init__()
        net = TraceNet("tu-resnet10t", 2, [8, 8], 2, sub, features, refine)
        self.unet, self.present, self.sub, self.features, self.block = net.unet, net.present, sub, features, 2
        self.refine = nn.Sequential(
            nn.Conv2d(features + 3, refine, 3, padding=1), nn.ReLU(), nn.Conv2d(refine, 2, 3, padding=1)
        )

    def forward(self, strips: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        b, _, h, w = strips.shape
        x = normalise(strips)
        level = torch.linspace(-1, 1, h // 2).view(1, 1, -1, 1).expand(b, 1, -1, w // 2)
        coarse = self.unet(torch.cat([F.pixel_unshuffle(x, 2), level], 1))
        fine = coarse.view(b, self.features, 2, 2 * self.sub, h // 2, w // 2).permute(0, 1, 4, 2, 5, 3)
        fine = fine.reshape(b, self.features, h, w * self.sub)
        wide = F.interpolate(x, size=(h, w * self.sub), mode="bilinear", align_corners=False)
        out = self.refine(torch.cat([fine, wide], 1))
        present = self.present(torch.cat([fine.amax(2), fine.mean(2)], 1))[:, 0]
        return out[:, 0], present, out[:, 1].view(b, h, w, self.sub).mean(-1)


@pytest.mark.parametrize("sub", [1, 2, 4])
def test_a_checkpoint_of_format_1_says_what_it_said(sub: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    old = FirstFormat(sub, features=3, refine=4).eval()
    save_file({name: value.contiguous() for name, value in old.state_dict().items()}, tmp_path / hub.WEIGHTS)
    network = {
        "encoder": "tu-resnet10t", "depth": 2, "decoder_channels": [8, 8], "block": 2, "sub_columns": sub,
        "features": 3, "refine": 4,
    }  # fmt: skip
    strip = {"half_height_mm": 4.0, "px_per_mm_x": 4.0, "px_per_mm_y": 4.0, "sub_columns": sub}
    config = {"format": 1, "kind": "trace", "network": network, "strip": strip, "sigma": [0.3, 0.01], "about": {}}
    (tmp_path / hub.CONFIG).write_text(json.dumps(config | {"sha256": digest(tmp_path / hub.WEIGHTS)}))
    model = hub.load(tmp_path)
    strips = torch.randint(0, 256, (2, 3, 32, 48), dtype=torch.uint8)
    with torch.inference_mode():
        height, present, mask = old(strips)
        new = model.net(strips)  # type: ignore[operator]
    inner = slice(2 * sub, -2 * sub)  # at the edges the picture was held
    torch.testing.assert_close(new.height[..., inner], height[..., inner], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(new.mask[..., 2:-2], mask[..., 2:-2], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(new.present, present, atol=1e-5, rtol=1e-5)
    assert model.sigma == hub.files.UNCALIBRATED  # its own was of spreads that were not fitted to the ink
