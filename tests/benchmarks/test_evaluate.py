"""The benchmark of an evaluation is run by hand: what it measures must still be called."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
def test_the_share_of_the_networks_is_measured() -> None:
    command = [sys.executable, str(BENCHMARKS / "evaluate.py"), "--limit", "1", "--dpi", "100", "--layout", "3x4"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for part in ("trace network", "small networks", "reading, networks included", "scoring", "the oracle", "drawing"):
        (seconds,) = re.findall(rf"^  {part}.* ([\d.]+)$", told, re.M)  # of CPU
        assert float(seconds) > 0 or part == "the oracle", part  # less than 0.05
    assert re.search(r"outside the networks: \d+% wall, \d+% CPU", told)
