"""The trace network in onnxruntime: neither torch nor lightning."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

INPUT, OUTPUTS = "strips", ("chance", "present")  # names in the ONNX graph


def has_onnxruntime() -> bool:
    """Whether onnxruntime is installed (`pip install 'ecgdig[onnx]'`)."""
    return find_spec("onnxruntime") is not None


def import_onnxruntime() -> Any:
    """The library, told to send nothing: its official builds report their use to Microsoft otherwise (its Privacy.md).

    Raises:
        ImportError: it is not installed.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


class OnnxNet:
    """A session of onnxruntime on the CPU, called as `TraceModel.chances` is.

    Threads: what OMP_NUM_THREADS says, as with torch; else all cores.

    Raises:
        ImportError: onnxruntime is not installed.
        RuntimeError, ValueError: not an ONNX file of a trace network.
    """

    def __init__(self, file: Path) -> None:
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        threads = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]  # "2,1": those of nested regions follow
        options.intra_op_num_threads = int(threads) if threads.isdigit() else 0
        options.log_severity_level = 3  # errors, not warnings
        self._session = onnxruntime.InferenceSession(file.read_bytes(), options, providers=["CPUExecutionProvider"])
        names = tuple(value.name for value in self._session.get_outputs())
        if names != OUTPUTS:
            raise ValueError(f"{file.name} gives {', '.join(names)}; want {', '.join(OUTPUTS)}")

    def __call__(self, strips: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        chance, present = self._session.run(list(OUTPUTS), {INPUT: strips})
        return np.asarray(chance, np.float32), np.asarray(present, np.float32)
