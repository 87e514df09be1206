"""The trace network in onnxruntime: neither torch nor lightning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecgdig.ort import session

INPUT, OUTPUTS = "strips", ("chance", "present")  # names in the ONNX graph


class OnnxNet:
    """A session of onnxruntime on the CPU, called as `TraceModel.chances` is.

    Threads: what OMP_NUM_THREADS says, as with torch; else all cores.

    Raises:
        ImportError: onnxruntime is not installed.
        RuntimeError, ValueError: not an ONNX file of a trace network.
    """

    def __init__(self, file: bytes) -> None:
        self._session = session(file)
        names = tuple(value.name for value in self._session.get_outputs())
        if names != OUTPUTS:
            raise ValueError(f"the network gives {', '.join(names)}; want {', '.join(OUTPUTS)}")

    def __call__(self, strips: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        chance, present = self._session.run(list(OUTPUTS), {INPUT: strips})
        return np.asarray(chance, np.float32), np.asarray(present, np.float32)
