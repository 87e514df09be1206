"""A trained network with all that is needed to use it, whatever runs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecgdig.hub.onnx_net import OnnxNet
from ecgdig.strip import StripSpec

if TYPE_CHECKING:
    from ecgdig.tasks.trace_net import TraceNet


@dataclass(frozen=True)
class TraceModel:
    """A trained trace network with all that is needed to use it.

    Attributes:
        net: a torch network in evaluation mode, float32, on the CPU or a GPU; or a session of onnxruntime.
        spec: the strips it was trained for.
        name: what it is called in results.
        sha256: of the weights' file.
        sigma: (factor, floor in mm) that make the standard error of a column of its readings, fitted to the ink, hold.
        config: the whole config.json.
    """

    net: TraceNet | OnnxNet
    spec: StripSpec
    name: str
    sha256: str
    sigma: tuple[float, float]
    config: dict[str, Any] = field(default_factory=dict)

    def chances(self, strips: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Where the trace of the middle row runs in each strip.

        Args:
            strips: uint8 `(B, 3, H, W)`, H that of `spec`.

        Returns:
            for each value column a distribution over the strip's rows, `(B, H, columns)`, and the probability that
            something of this row is printed there, `(B, columns)`; columns = W · sub_columns.
        """
        if isinstance(self.net, OnnxNet):
            return self.net(strips)
        from ecgdig.tasks.trace_net import chances

        return chances(self.net, strips)
