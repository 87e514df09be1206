"""The library onnxruntime, where it is installed: quiet, on the CPU, with as many threads as it is told."""

from __future__ import annotations

import os
from functools import lru_cache
from importlib.util import find_spec
from typing import Any


@lru_cache(maxsize=1)
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


def session(graph: bytes) -> Any:
    """A session on the CPU. Threads: what OMP_NUM_THREADS says, as with torch; else all cores.

    Raises:
        ImportError: onnxruntime is not installed.
        RuntimeError, ValueError: not an ONNX file.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    threads = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]  # "2,1": those of nested regions follow
    options.intra_op_num_threads = int(threads) if threads.isdigit() else 0
    options.log_severity_level = 3  # errors, not warnings
    # threads that wait for others sleep: where another program wants the cores, spinning took a fifth more CPU
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False  # a plan of the memory for every size of picture seen would be kept
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
