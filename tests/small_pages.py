"""Plans of data sets whose pages take little time, for tests of `ecgdig.dataset`."""

from __future__ import annotations

from typing import Any

from ecgdig.dataset import Plan, Recipe, open_records

SEED = 5


def small_plan(n_pages: int = 4, preset: str = "photo", dpi: float = 60.0, **more: Any) -> Plan:
    """Simulated pages at 25 mm/s and 10 mm/mV."""
    return Plan(Recipe(SEED, preset, dpi=dpi, usual_scale=True), open_records([], SEED), n_pages, **more)
