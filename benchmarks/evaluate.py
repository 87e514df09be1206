"""Seconds of an evaluation, and how many of them are the networks': `python benchmarks/evaluate.py [OPTIONS]`.

OPTIONS are those of `scripts/eval_snr.py`; for 54 clean pages `--records ../shared/ecg/val --preset clean`. Imports and
the loading of the network count. Wall seconds mean little on a machine that does something else beside.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

Spent = dict[str, list[float]]  # part -> wall and CPU seconds


def timed(owner: Any, name: str, part: str, spent: Spent) -> None:
    """Let a function of a module or class add what it takes to its part."""
    function: Callable[..., Any] = getattr(owner, name)

    def measuring(*given: Any, **named: Any) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            return function(*given, **named)
        finally:
            spent[part][0] += time.perf_counter() - wall
            spent[part][1] += time.process_time() - cpu

    setattr(owner, name, measuring)


def main(options: list[str]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    from ecgdig import evaluate as reading
    from ecgdig.commands import evaluate
    from ecgdig.grid import overview
    from ecgdig.hub.model import TraceModel
    from ecgdig.locate import names, sheet
    from ecgdig.scoring import cases

    spent: Spent = defaultdict(lambda: [0.0, 0.0])
    timed(TraceModel, "chances", "trace network", spent)
    for module in (overview, names, sheet):
        timed(module, "run", "small networks", spent)
    for name in ("digitize", "read_traces"):
        timed(reading, name, "reading, networks included", spent)
    timed(reading, "score_recording", "scoring", spent)
    timed(reading, "oracle", "the oracle", spent)
    for name in ("render", "degrade"):
        timed(cases, name, "drawing pages", spent)
    timed(evaluate, "pictures_of", "pictures of the worst", spent)
    summary = evaluate.main(options)
    total = [time.perf_counter() - wall, time.process_time() - cpu]
    print(f"\n{len(summary['pages'])} pages; {'seconds':22}{'wall':>8}{'CPU':>8}")
    for part, seconds in [*spent.items(), ("all", total)]:
        print(f"  {part:28}{seconds[0]:8.1f}{seconds[1]:8.1f}")
    networks = [spent["trace network"][i] + spent["small networks"][i] for i in (0, 1)]
    outside = [
        f"{1 - part / whole:.0%} {name}" for part, whole, name in zip(networks, total, ("wall", "CPU"), strict=True)
    ]
    print(f"outside the networks: {', '.join(outside)}")


if __name__ == "__main__":
    main(sys.argv[1:])
