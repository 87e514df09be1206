"""How fast pages are made, learned and read on this machine: `python benchmarks/throughput.py`.

Prints strips a second of the data module on one core, training steps a second of unet_cpu.yaml's network, and seconds
and peak memory for reading one rendered scan with the default checkpoint, which comes first: a process's peak stays.
"""

from __future__ import annotations

import resource
import time
from pathlib import Path

import torch
import yaml
from torch.utils.data import default_collate

from ecgdig.data import DEFAULT_MIX, StripDataset
from ecgdig.digitizer import digitize
from ecgdig.evaluate import rendered_cases
from ecgdig.hub import load
from ecgdig.sources import Simulator
from ecgdig.strip import StripSpec
from ecgdig.tasks import TraceTask

UNET_CPU = Path(__file__).parents[1] / "configs" / "unet_cpu.yaml"


def strips_a_second(n: int = 100) -> float:
    """Strips made by one process, after numba has compiled."""
    data = StripDataset(Simulator(n=20), StripSpec(), 256, DEFAULT_MIX, 0, n)
    for i in range(20):
        data[i]
    start = time.process_time()
    for i in range(n):
        data[i]
    return n / (time.process_time() - start)


def steps_a_second(n: int = 6) -> float:
    """Training steps of 16 strips of 384 x 256 px, bf16, forward and backward, best of `n`."""
    task = TraceTask(**yaml.safe_load(UNET_CPU.read_text())["model"]["init_args"])
    data = StripDataset(Simulator(n=20), task.spec, 256, DEFAULT_MIX, 0, 16)
    batch = default_collate([data[i] for i in range(16)])
    seconds = []
    for _ in range(n):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16):
            loss = task._total(task._losses(task(batch["image"]), batch))
        loss.backward()
        seconds.append(time.perf_counter() - start)
    return 1 / min(seconds)


def seconds_a_page(n: int = 3) -> tuple[float, tuple[int, ...]]:
    """Seconds for one scan, geometry included, best of `n`; and its shape."""
    model = load()
    case = next(rendered_cases(Simulator(n=1), "scan", ("3x4+1",), 200, 7))
    seconds = []
    for _ in range(n):
        start = time.perf_counter()
        digitize(case.image, model)
        seconds.append(time.perf_counter() - start)
    return min(seconds), case.image.shape


if __name__ == "__main__":
    print(f"threads: {torch.get_num_threads()}")
    best, shape = seconds_a_page()
    print(f"seconds for one scan of {shape[1]} x {shape[0]} px: {best:.2f}")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    print(f"strips a second, one core: {strips_a_second():.1f}")
    print(f"training steps a second (16 strips): {steps_a_second():.2f}")
