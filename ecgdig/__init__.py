"""Paper ECGs back to millivolts: recordings drawn as pages, networks trained on them, scans read back.

Light on purpose: `import ecgdig` loads nothing heavy; `ecgdig.digitize` and `ecgdig.load` bring torch
only for a checkpoint that holds no ONNX file. The rooms are imported by name (`ecgdig.page`, `ecgdig.metrics`, ...).
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecgdig.api import digitize
    from ecgdig.digitizer import Digitization
    from ecgdig.drawing import render
    from ecgdig.hub import load
    from ecgdig.recording import Recording

__version__ = version("ecgdig")

__all__ = ["Digitization", "Recording", "__version__", "digitize", "load", "render"]

_HOMES = {
    "Digitization": "ecgdig.digitizer",
    "Recording": "ecgdig.recording",
    "digitize": "ecgdig.api",
    "load": "ecgdig.hub",
    "render": "ecgdig.drawing",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ecgdig' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
