"""Trained networks as files: saved, found, checked, loaded; safetensors, ONNX and JSON, no pickle from outside.

Importing it and loading a checkpoint that holds an ONNX file brings no torch.
"""

from ecgdig.hub.files import CONFIG, DEFAULT, ONNX, WEIGHTS, CheckpointError, available
from ecgdig.hub.loading import RUNTIMES, load
from ecgdig.hub.model import TraceModel
from ecgdig.hub.saving import save

__all__ = [
    "CONFIG",
    "DEFAULT",
    "ONNX",
    "RUNTIMES",
    "WEIGHTS",
    "CheckpointError",
    "TraceModel",
    "available",
    "load",
    "save",
]
