"""`ecgdig doctor`: whether this installation works, and what to do where it does not."""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Literal

from ecgdig import __version__
from ecgdig.commands.voice import EXIT_CODES, SOME_FAILED, Voice, add_voice, painted
from ecgdig.hub import parts
from ecgdig.hub.files import CONFIG, DEFAULT, ONNX, WEIGHTS, CheckpointError, available, checked, read_config, released

State = Literal["ok", "note", "bad"]
LEAST_SNR_DB = 12.0  # of the self-test's page; the released checkpoint reads it at about 20
_COMPILED_S = 4.0  # a first run compiles for longer; one kernel, of scoring, is compiled in every run
_LEAST_MEMORY_GB, _LEAST_DISK_GB = 3.0, 0.5
_PACKAGES = ("numpy", "scipy", "numba", "opencv-python-headless", "pillow", "pypdfium2", "wfdb", "torch", "onnxruntime")
_EXTRAS = {
    "onnx": "onnxruntime",
    "heic": "pillow_heif",
    "web": "starlette",
    "formats": "pydicom",
    "completion": "shtab",
}
_COLOURS = {"ok": "green", "note": "yellow", "bad": "red"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `bad` must be mended, `note` may matter; `remedy` says how."""

    what: str
    state: State
    said: str
    remedy: str = ""


def main(args: Sequence[str] | None = None, prog: str = "doctor") -> list[Finding]:
    """Look at everything and print a line each.

    Raises:
        SystemExit: 1 where something is bad.
    """
    options = parser(prog).parse_args(args)
    voice = Voice.of(options)
    found = []
    for finding in findings(options.checkpoint):
        found.append(finding)
        state = painted(f"{finding.state:4}", _COLOURS[finding.state], sys.stdout)
        remedy = f"\n      -> {finding.remedy}" if finding.remedy else ""
        text = f"{state}  {finding.what}: {finding.said}{remedy}"
        if voice.quiet and finding.state == "bad":
            print(text)
        voice.result(text, asdict(finding))
    bad = sum(finding.state == "bad" for finding in found)
    voice.say(f"{bad} of {len(found)} must be mended" if bad else "all is well")
    if bad:
        raise SystemExit(SOME_FAILED)
    return found


def findings(checkpoint: str = DEFAULT) -> Iterator[Finding]:
    """All findings, the slow self-test last."""
    yield Finding("ecgdig", "ok", f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    yield packages(_PACKAGES)
    yield extras()
    yield machine()
    yield gpu()
    names = available()
    if not names:
        yield Finding("checkpoints", "bad", "none found", "install the package or clone the repository again")
    for name in names:
        yield checkpoint_state(name)
    yield self_test(checkpoint)


def packages(names: Sequence[str]) -> Finding:
    """Versions of the libraries that reading stands on; missing ones are bad but for torch and onnxruntime."""
    said, missing = [], []
    for name in names:
        try:
            said.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if _has("opencv-python") and _has("opencv-python-headless"):
        remedy = "pip uninstall opencv-python opencv-python-headless; pip install opencv-python-headless"
        return Finding("packages", "bad", "opencv-python and opencv-python-headless overwrite each other", remedy)
    lacking = set(missing) - {"torch", "onnxruntime"}
    if lacking or {"torch", "onnxruntime"} <= set(missing):
        return Finding("packages", "bad", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return Finding("packages", "ok", ", ".join(said) + (f"; without {', '.join(missing)}" if missing else ""))


def extras() -> Finding:
    """Which optional parts are installed."""
    there = [name for name, module in _EXTRAS.items() if find_spec(module)]
    absent = [name for name in _EXTRAS if name not in there]
    remedy = f"if wanted: pip install 'ecgdig[{','.join(absent)}]'" if absent else ""
    return Finding("extras", "note" if absent else "ok", f"{', '.join(there) or 'none'} installed", remedy)


def machine() -> Finding:
    """Cores, memory and room for temporary files."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    disk = shutil.disk_usage(tempfile.gettempdir()).free / 1e9
    said = f"{len(os.sched_getaffinity(0))} cores, {memory:.0f} GB memory, {disk:.0f} GB free for temporary files"
    if memory < _LEAST_MEMORY_GB:
        return Finding("machine", "note", said, f"large photos take up to {_LEAST_MEMORY_GB:g} GB; give smaller ones")
    if disk < _LEAST_DISK_GB:
        return Finding("machine", "bad", said, f"free {_LEAST_DISK_GB:g} GB, or set TMPDIR to a folder that has it")
    return Finding("machine", "ok", said)


def gpu() -> Finding:
    """GPUs that the CUDA driver shows, asked without torch."""
    count = ctypes.c_int(0)
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
        if cuda.cuInit(0) == 0:
            cuda.cuDeviceGetCount(ctypes.byref(count))
    except OSError:
        pass
    if count.value:
        return Finding(
            "gpu", "ok", f"{count.value} CUDA device(s); training uses them, reading does with --runtime cuda"
        )
    return Finding("gpu", "ok", "none: reading needs none; training is slower without")


def checkpoint_state(name: str) -> Finding:
    """Whether the files of a released checkpoint are there and whole, by their SHA-256."""
    folder, what = released(name), f"checkpoint {name}"
    remedy = "copy the folder again (git checkout, or reinstall the package)"
    try:
        if folder is None:
            raise CheckpointError(f"{name}: not found")
        config = read_config(folder)
        kinds = {WEIGHTS: config["sha256"]}
        if "onnx" in config:
            kinds[ONNX] = config["onnx"]["sha256"]
        there = [file for file in kinds if parts.exists(folder / file)]
        if not there:
            raise CheckpointError(f"neither {WEIGHTS} nor {ONNX}")
        for file in there:
            checked(folder, file, kinds[file])
    except (OSError, ValueError, KeyError) as error:
        return Finding(what, "bad", f"{CONFIG} or weights: {' '.join(str(error).split())}", remedy)
    return Finding(what, "ok", f"{', '.join(there)} whole, SHA-256 {config['sha256'][:12]}")


def self_test(checkpoint: str = DEFAULT, clock: Callable[[], float] = time.perf_counter) -> Finding:
    """A page is rendered and read; its SNR must be above `LEAST_SNR_DB`.

    Its seconds are those of every run; what a first one takes to compile kernels is named apart.
    """
    what, remedy = "self-test", "reinstall with the versions of constraints.txt; if that does not help, report it"
    began, compiling_s = clock(), [0.0]
    try:
        from numba.core.event import install_timer

        from ecgdig.digitizer import digitize
        from ecgdig.drawing import render
        from ecgdig.hub import load
        from ecgdig.metrics import score_recording
        from ecgdig.page import PLAIN
        from ecgdig.sources import Simulator

        with install_timer("numba:compile", compiling_s.append):
            page = render(Simulator(1, seed=7)[0], "clean", 7, layout="3x4", paper="a4", dpi=130, style=PLAIN)
            read = digitize(page.image, load(checkpoint))
            snr = float(score_recording(page.recording(), read.recording).page["snr_db"])
    except Exception as error:  # whatever is broken in an installation
        if "cannot cache function" in str(error):  # numba's words
            remedy = "set NUMBA_CACHE_DIR to a folder that can be written to: compiled kernels are kept there"
        return Finding(what, "bad", f"{type(error).__name__}: {' '.join(str(error).split())[:300]}", remedy)
    said = f"a page was drawn and read at {snr:.1f} dB in {clock() - began - sum(compiling_s):.1f} s"
    if sum(compiling_s) > _COMPILED_S:
        said += f"; kernels were compiled before in {sum(compiling_s):.1f} s, which is not done again"
    return Finding(what, "ok", said) if snr >= LEAST_SNR_DB else Finding(what, "bad", said, remedy)


def parser(prog: str = "doctor") -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Check versions, machine, checkpoints, and read a page: 10 s, the first time half a minute.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--checkpoint", default=DEFAULT, help="read the self-test's page with it (default: %(default)s)"
    )
    add_voice(parser)
    return parser


def _has(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
