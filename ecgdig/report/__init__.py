"""Pictures and tables of results."""

from ecgdig.report.overlay import overlay

__all__ = ["overlay"]
