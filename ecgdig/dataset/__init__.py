"""Data sets of pages on disk: made in several processes, read back, exported to the formats of other tools.

Light: importing it, drawing and exporting need no torch; `ecgdig.dataset.pages` (a torch data set) does.
"""

from ecgdig.dataset.build import Plan, Report, build
from ecgdig.dataset.files import Encoding
from ecgdig.dataset.folder import Entry, Folder, load
from ecgdig.dataset.manifest import FolderError
from ecgdig.dataset.recipe import Recipe
from ecgdig.dataset.records import Records, open_records
from ecgdig.dataset.truth import Truth, TruthError, read_truth

__all__ = [
    "Encoding", "Entry", "Folder", "FolderError", "Plan", "Recipe", "Records", "Report", "Truth", "TruthError", "build",
    "load", "open_records", "read_truth",
]  # fmt: skip
