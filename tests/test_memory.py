from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

# faults: how often the system had to give the process a page of memory
PROGRAM = """
import resource, numpy as np
from ecgdig.memory import keep_freed_memory
kept = {how}
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [np.ones(mb << 20, np.uint8) for mb in (3, 5, 8, 13, 21, 21, 21, 21, 13, 8, 5, 3)]
    del held
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults(), kept)
"""


def run(how: str) -> list[str]:
    program = [sys.executable, "-c", PROGRAM.format(how=how)]
    return subprocess.run(program, capture_output=True, text=True, check=True, timeout=120).stdout.split()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_memory_that_was_freed_is_used_again() -> None:
    kept, told = run("keep_freed_memory()")
    given_back, _ = run("False")
    assert told == "True"
    assert int(kept) < 0.2 * int(given_back)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc_trim is glibc's")
def test_kept_memory_is_given_back_above_a_limit() -> None:
    program = """
import numpy as np
from ecgdig.memory import give_back_above, keep_freed_memory
keep_freed_memory()
held = [np.ones(20 << 20, np.uint8) for _ in range(15)]
last = held.pop()
del held
print(give_back_above(5000), give_back_above(250), give_back_above(250))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["False", "True", "False"]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc_trim is glibc's")
def test_files_in_memory_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(200 << 20))
    program = """
import sys
import numpy as np
from ecgdig.memory import give_back_above
file = np.memmap(sys.argv[1], np.uint8, "r")
print(file.sum(), give_back_above(200), give_back_above(10))
"""
    command = [sys.executable, "-c", program, str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["0", "False", "True"]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_very_large_arrays_are_not_kept() -> None:
    program = """
import numpy as np
from ecgdig.memory import give_back_above, keep_freed_memory
keep_freed_memory()
for mb in (60, 80, 60):
    np.ones(mb << 20, np.uint8)
print(give_back_above(100))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["False"]
