from __future__ import annotations

import platform
import subprocess
import sys

import pytest

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")

# faults: how often the system had to give the process a page of memory; then how many MB it holds on to
PROGRAM = """
import resource, numpy as np
from ecgdig.memory import keep_freed_memory
kept = {how}
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [np.ones(mb << 20, np.uint8) for mb in {sizes}]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
def now_mb():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 2**20
before = now_mb()
faults()
print(faults(), now_mb() - before, kept)
"""


def run(how: str, sizes: tuple[int, ...]) -> list[str]:
    program = [sys.executable, "-c", PROGRAM.format(how=how, sizes=sizes)]
    return subprocess.run(program, capture_output=True, text=True, check=True, timeout=120).stdout.split()


@glibc
def test_memory_that_was_freed_is_used_again() -> None:
    sizes = (3, 5, 8, 13, 21, 21, 21, 21, 13, 8, 5, 3)
    kept, _, told = run("keep_freed_memory()", sizes)
    given_back, *_ = run("False", sizes)
    assert told == "True"
    assert int(kept) < 0.2 * int(given_back)


@glibc
def test_very_large_arrays_are_given_back() -> None:
    _, held_mb, _ = run("keep_freed_memory()", (34, 55, 34))
    assert float(held_mb) < 20
