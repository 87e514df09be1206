"""Paper ECGs back to millivolts: recordings drawn as pages, networks trained on them, scans read back.

Light on purpose: `import ecgdig` loads neither torch nor lightning. The rooms are imported by name (`ecgdig.page`,
`ecgdig.metrics`, ...).
"""

from importlib.metadata import version

from ecgdig.drawing import render
from ecgdig.recording import Recording

__version__ = version("ecgdig")

__all__ = ["Recording", "__version__", "render"]
