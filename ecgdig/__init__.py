"""Paper ECGs back to millivolts: recordings drawn as pages, networks trained on them, scans read back.

Light on purpose: `import ecgdig` loads neither torch nor lightning; `ecgdig.digitize` brings torch when it is first
used. The rooms are imported by name (`ecgdig.page`, `ecgdig.metrics`, ...).
"""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ecgdig.drawing import render
from ecgdig.recording import Recording

if TYPE_CHECKING:
    from ecgdig.api import digitize
    from ecgdig.digitizer import Digitization

__version__ = version("ecgdig")

__all__ = ["Digitization", "Recording", "__version__", "digitize", "render"]


def __getattr__(name: str) -> Any:
    if name == "digitize":
        from ecgdig.api import digitize

        return digitize
    if name == "Digitization":
        from ecgdig.digitizer import Digitization

        return Digitization
    raise AttributeError(f"module 'ecgdig' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
