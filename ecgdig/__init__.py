"""Paper ECGs back to millivolts: recordings drawn as pages, networks trained on them, scans read back.

Light on purpose: `import ecgdig` loads neither torch nor lightning; `ecgdig.digitize` and `ecgdig.load` bring torch
only for a checkpoint that holds no ONNX file. The rooms are imported by name (`ecgdig.page`, `ecgdig.metrics`, ...).
"""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ecgdig.drawing import render
from ecgdig.recording import Recording

if TYPE_CHECKING:
    from ecgdig.api import digitize
    from ecgdig.digitizer import Digitization
    from ecgdig.hub import load

__version__ = version("ecgdig")

__all__ = ["Digitization", "Recording", "__version__", "digitize", "load", "render"]


def __getattr__(name: str) -> Any:
    if name == "digitize":
        from ecgdig.api import digitize

        return digitize
    if name == "Digitization":
        from ecgdig.digitizer import Digitization

        return Digitization
    if name == "load":
        from ecgdig.hub import load

        return load
    raise AttributeError(f"module 'ecgdig' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
