"""Clean page -> scanned or photographed page, truth carried along."""

from ecgdig.degrade.presets import DEGRADATIONS, PRESETS, Drawn, Preset, apply, degrade, draw

__all__ = ["DEGRADATIONS", "PRESETS", "Drawn", "Preset", "apply", "degrade", "draw"]
