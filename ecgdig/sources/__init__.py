"""Where recordings come from: files, data sets, and the built-in simulator."""

from ecgdig.sources.cached import Cached
from ecgdig.sources.mixture import Mixture
from ecgdig.sources.ptbxl import PtbXl
from ecgdig.sources.recording_folder import RecordingFolder
from ecgdig.sources.simulator import Simulator, simulate
from ecgdig.sources.source import Source
from ecgdig.sources.wfdb_folder import WfdbFolder

__all__ = ["Cached", "Mixture", "PtbXl", "RecordingFolder", "Simulator", "Source", "WfdbFolder", "simulate"]
