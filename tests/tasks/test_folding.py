import torch
from torch import nn

from ecgdig.tasks.folding import folded, plain_layer


def test_a_folded_convolution_does_what_the_two_did():
    torch.manual_seed(0)
    convolutions, norms = (nn.ModuleDict({"a": m}) for m in (nn.Conv2d(3, 5, 3, bias=False), nn.BatchNorm2d(5)))
    value = torch.randn(2, 3, 12, 16)
    with torch.no_grad():
        for _ in range(3):  # the norm learns something
            plain_layer(convolutions["a"], norms["a"], value + 1, 1, 1)
        norms.eval()
        wanted = plain_layer(convolutions["a"], norms["a"], value, 2, 2)
        state = folded(convolutions, norms)
        found = torch.relu(nn.functional.conv2d(value, state["a.weight"], state["a.bias"], 2, 2, 2))
    assert wanted.shape == (2, 5, 6, 8)
    torch.testing.assert_close(found, wanted)
