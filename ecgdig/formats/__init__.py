"""Recordings in the formats of hospitals and data teams: written with all that is known of them, and read back."""

from ecgdig.formats.about import About, Stretch
from ecgdig.formats.reading import SUFFIXES, is_recording, name_of, read_recording, recordings_in
from ecgdig.formats.writing import DEFAULT_FORMATS, FORMATS, check_formats, files_of, write_recording

__all__ = [
    "DEFAULT_FORMATS",
    "FORMATS",
    "SUFFIXES",
    "About",
    "Stretch",
    "check_formats",
    "files_of",
    "is_recording",
    "name_of",
    "read_recording",
    "recordings_in",
    "write_recording",
]
