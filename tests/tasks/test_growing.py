from __future__ import annotations

import pytest
import torch

from ecgdig.tasks.growing import grow
from ecgdig.tasks.trace_net import TraceNet


def small(seed: int = 0) -> TraceNet:
    """A network whose norms have seen something, so that no weight is at its initial value."""
    torch.manual_seed(seed)
    net = TraceNet("tu-resnet10t", 4, [12, 8, 8, 6], features=2, refine=4).train()
    for _ in range(3):
        net(torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8))
    return net.eval()


@pytest.mark.parametrize("encoder, decoder", [("tu-resnet18d", [12, 8, 8, 6]), ("tu-resnet34d", [20, 16, 11, 6])])
def test_a_larger_network_answers_as_the_smaller_one(encoder: str, decoder: list[int]) -> None:
    net, large = small(), TraceNet(encoder, 4, decoder, features=2, refine=6)
    grow(large, net.state_dict())
    large.eval()
    strips = torch.randint(0, 256, (2, 3, 64, 128), dtype=torch.uint8)
    with torch.no_grad():
        for ours, theirs in zip(net(strips), large(strips), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    assert sum(p.numel() for p in large.parameters()) > 1.5 * sum(p.numel() for p in net.parameters())


def test_what_is_new_learns() -> None:
    large = TraceNet("tu-resnet18d", 4, [20, 16, 11, 6], features=2, refine=4)
    grow(large, small().state_dict())
    out = large.train()(torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8))
    out.height.square().mean().backward()
    last = large.unet.encoder.model.layer2[1].bn2.weight
    assert last.detach().abs().max() == 0
    assert last.grad is not None
    assert last.grad.abs().max() > 0
    wide = large.unet.decoder.blocks[1].conv1[0].weight  # 12 channels from below, then 8 new ones
    assert wide.grad is not None
    assert wide.grad[:8, 12:20].abs().max() > 0


@pytest.mark.parametrize(
    "network, why",
    [
        (TraceNet("tu-resnet18d", 4, [10, 8, 8, 6], features=2, refine=4), r"decoder.blocks.0.conv1.* does not go"),
        (TraceNet("tu-resnet18d", 4, [12, 8, 8, 6], features=3, refine=4), r"features must be the same"),
        (TraceNet("tu-resnet18d", 3, [12, 8, 8], features=2, refine=4), r"the larger network has no "),
    ],
)
def test_another_network_is_refused_and_left_alone(network: TraceNet, why: str) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(ValueError, match=why):
        grow(network, small().state_dict())
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
