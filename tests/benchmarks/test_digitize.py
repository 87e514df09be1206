"""The benchmark of reading is run by hand: what it calls must still be there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
def test_every_stage_of_reading_a_photo_is_measured() -> None:
    command = [sys.executable, str(BENCHMARKS / "digitize.py"), "--megapixels", "2", "--repeat", "0", "--threads", "1"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for stage in ("2.0 megapixels", "peak of memory", "imports", "a grid that is followed", "names", "single lines"):
        assert stage in told
