from __future__ import annotations

from typing import Any

import pytest
from readings import results

from ecgdig.scoring.comparison import compare
from ecgdig.scoring.results import summary_of


@pytest.fixture(scope="session")
def summary() -> dict[str, Any]:
    """Six pages with oracle, the last a failure whose name and reason need escaping."""
    made = summary_of(results())
    name = made["failures"][0]
    made["pages"][-1]["name"] = "p<6>"
    made["failures"], made["errors"] = ["p<6>"], {"p<6>": made["errors"][name]}
    about = {"what": "six pages & more", "command": "python scripts/eval_snr.py --html 'a<b.html'", "extra": ["stray"]}
    return {**made, **about, "checkpoint": {"name": "ink", "sha256": "0123abcd" * 8}}


@pytest.fixture(scope="session")
def comparison(summary: dict[str, Any]) -> dict[str, Any]:
    better = summary_of(results(noise_mv=0.02))
    better["pages"][-1]["name"] = "p<6>"
    return {**compare(summary, better), "a": "a.json", "b": "b.json"}
