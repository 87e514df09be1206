"""What holds for the package as a whole: what importing it costs, and what its files must not contain."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ecgdig

ROOT = Path(__file__).parents[1]

# imported in this order, so that the first one to bring a heavy library is the one named
LIGHT = (
    "ecgdig",
    "ecgdig.units",
    "ecgdig.recording",
    "ecgdig.io",
    "ecgdig.sources",
    "ecgdig.metrics",
    "ecgdig.page",
    "ecgdig.degrade",
    "ecgdig.dataset",
    "ecgdig.dataset.export",
    "ecgdig.grid.flat",
    "ecgdig.vectorize",
    "ecgdig.hub",
    "ecgdig.api",
    "ecgdig.batch",
    "ecgdig.scoring.predictions",
    "ecgdig.report.html",
    "ecgdig.report.worst",
    "ecgdig.commands.evaluate",
    "ecgdig.corrections",
    "ecgdig.privacy",
    "ecgdig.web.tasks",
    "ecgdig.commands.main",
    "ecgdig.commands.doctor",
    "ecgdig.commands.digitize",
    "ecgdig.commands.share",
)
HEAVY = ("torch", "lightning", "pytorch_lightning", "albumentations")  # albumentations 2.0.8 imports torch

IMPORTS = f"""
import importlib, sys
for room in sys.argv[1:]:
    importlib.import_module(room)
    heavy = [name for name in {HEAVY} if name in sys.modules]
    if heavy:
        sys.exit(f"importing {{room}} imports {{', '.join(heavy)}}")
"""

# spelled so that this file does not match itself
FORBIDDEN = {
    "a package registry": re.compile(r"index[-_]url|find[-_]links|trusted[-_]host|https?://[^\s\"']*/simple\b", re.I),
    "a path of one machine": re.compile(r"""(^|["'\s=:(`])/(work|home|root|opt)/[A-Za-z0-9_.]+""", re.M),
}


def _pyproject() -> dict[str, dict]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _normalized(requirement: str) -> str:
    """The distribution's name in a requirement line: `Jinja2==3.1` -> `jinja2`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0]).lower()


def test_what_draws_pages_of_records_does_not_load_scipys_signal() -> None:
    program = "import sys, ecgdig.dataset.build; sys.exit('scipy.signal' in sys.modules)"  # 65 MB of each worker
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_light_rooms_import_no_torch() -> None:
    rooms = [room for room in LIGHT if importlib.util.find_spec(room)]
    done = subprocess.run([sys.executable, "-c", IMPORTS, *rooms], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("what", FORBIDDEN)
def test_files_name_no_machine(what: str) -> None:
    listing_command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(listing_command, cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    found = []
    for name in filter(None, listing.stdout.decode().split("\0")):
        path = ROOT / name
        content = path.read_bytes() if path.is_file() else b""
        if b"\0" in content[:8192]:  # an image or a checkpoint
            continue
        text = content.decode(errors="replace")
        found += [f"{name}:{text.count(chr(10), 0, hit.end()) + 1}" for hit in FORBIDDEN[what].finditer(text)]
    assert not found, f"{what} in {', '.join(found)}"


@pytest.mark.parametrize(
    "line", ['root = "/wo' + 'rk/data"', "see /ho" + "me/me/ecg", "`/ro" + "ot/.cache`", "/op" + "t/wheels"]
)
def test_machine_paths_are_recognized(line: str) -> None:
    assert FORBIDDEN["a path of one machine"].search(line)


@pytest.mark.parametrize("line", ["page/home/x", "https://physionet.org/work/ecg", "out/work/x"])
def test_other_slashes_are_no_machine_paths(line: str) -> None:
    assert not FORBIDDEN["a path of one machine"].search(line)


def test_version_is_the_projects() -> None:
    assert ecgdig.__version__ == _pyproject()["project"]["version"]


def test_every_dependency_is_pinned() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if "==" not in line] == []
    pinned = {_normalized(line) for line in lines}
    project = _pyproject()["project"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    wanted = {_normalized(line) for line in project["dependencies"] + extras}
    assert wanted <= pinned


def test_package_is_typed_and_lists_its_names() -> None:
    assert (ROOT / "ecgdig" / "py.typed").is_file()
    assert list(ecgdig.__all__) == sorted(ecgdig.__all__)
