"""The benchmarks are run by hand: what they call must still be there."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
def test_strips_and_steps_a_second_are_measured() -> None:
    measures = runpy.run_path(str(BENCHMARKS / "throughput.py"))
    assert measures["strips_a_second"](2) > 0.1
    assert measures["steps_a_second"](1) > 0.001
