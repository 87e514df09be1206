import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ecgdig.convolve import convolved


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(1, 1, 1), (3, 1, 1), (3, 2, 1), (3, 1, 4), (5, 2, 1)])
def test_it_is_the_convolution_of_torch(kernel, stride, dilation):
    rng = np.random.default_rng(0)
    value = rng.normal(size=(52, 30, 4)).astype(np.float32)
    weight, bias = rng.normal(size=(6, 4, kernel, kernel)).astype(np.float32), rng.normal(size=6).astype(np.float32)
    expected = F.conv2d(
        torch.from_numpy(value.transpose(2, 0, 1)[None].copy()),
        torch.from_numpy(weight),
        torch.from_numpy(bias),
        stride,
        dilation * (kernel // 2),
        dilation,
    )
    found = convolved(value, weight, bias, stride, dilation)
    np.testing.assert_allclose(found, expected[0].numpy().transpose(1, 2, 0), atol=1e-4)
