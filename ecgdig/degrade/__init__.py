"""Clean page -> scanned or photographed page, truth carried along."""

from ecgdig.degrade.presets import DEGRADATIONS, PRESETS, Preset, apply, degrade

__all__ = ["DEGRADATIONS", "PRESETS", "Preset", "apply", "degrade"]
