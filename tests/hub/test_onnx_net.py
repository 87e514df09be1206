"""Reading with onnxruntime alone, in processes that never see torch."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import requires
from pathlib import Path

import cv2
import numpy as np
import pytest
from ink_net import InkNet, ink_model
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ecgdig
from ecgdig import hub
from ecgdig.hub.export import _export
from ecgdig.hub.files import digest
from ecgdig.hub.onnx_net import OnnxNet
from ecgdig.page import PLAIN, Placement, arrange, lead_plan, render
from ecgdig.page.layout import PAPERS
from ecgdig.recording import Recording

ROOT = Path(__file__).parents[2]
# packages beyond those that the documentation names for reading cannot be imported; torch is looked for afterwards too
ALONE = """
import re, sys
from importlib.abc import MetaPathFinder
from importlib.metadata import packages_distributions
NAMED, OWNERS = set(sys.argv.pop().split()), packages_distributions()
class Refuse(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        owners = {re.sub("[-_.]+", "-", owner).lower() for owner in OWNERS.get(name.partition(".")[0], ())}
        if owners and not owners & NAMED:
            raise ModuleNotFoundError(f"{name} is not installed here", name=name)
sys.meta_path.insert(0, Refuse())
"""
READ_AND_SCORE = """
import ecgdig
from ecgdig.commands import digitize, evaluate
page, checkpoint, out = sys.argv[1:]
ecgdig.digitize(page, checkpoint=checkpoint, layout="3x4").save(out + "/api", ("npz",))
assert "torch" not in sys.modules
digitize.main([page, "--out", out, "--layout", "3x4", "--checkpoint", checkpoint, "--format", "npz"])
options = ["--limit", "1", "--dpi", "80", "--geometry", "true", "--json", out + "/scores.json"]
evaluate.main([*options, "--checkpoint", checkpoint])
assert not {"torch", "lightning", "safetensors.torch"} & set(sys.modules)
"""
ASK_FOR_TORCH = """
import ecgdig
from ecgdig.commands.main import main
try:
    ecgdig.load(sys.argv[1], runtime="torch")
except ValueError as error:
    print(error)
try:
    main(["train", "--config", "unet_cpu.yaml"])
except SystemExit as stop:
    print(stop.code)
"""


def named() -> set[str]:
    """The packages that reading needs, as documented, and all that they depend on."""
    text = (ROOT / "docs" / "howto" / "without_torch.md").read_text()
    (packages,) = re.findall(r"^pip install (numpy .*)$", text, re.M)
    return closure({"ecgdig"}, packages.split())


def closure(have: set[str], packages: Iterable[str]) -> set[str]:
    for name in map(canonicalize_name, packages):
        if name not in have:
            have.add(name)
            wanted = [Requirement(line) for line in requires(name) or [] if "extra ==" not in line]
            closure(have, [each.name for each in wanted if each.marker is None or each.marker.evaluate()])
    return have


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in network as an ONNX file with its config.json and nothing else."""
    folder, model = tmp_path_factory.mktemp("ink"), ink_model()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(InkNet, "multiple", 16, raising=False)
        _export(model, folder / hub.ONNX)
    strip, sha256 = asdict(model.spec), digest(folder / hub.ONNX)
    config = {"format": 2, "kind": "trace", "strip": strip, "sigma": model.sigma, "sha256": model.sha256}
    (folder / hub.CONFIG).write_text(json.dumps(config | {"onnx": {"sha256": sha256}}))
    return folder


@pytest.fixture(scope="module")
def scan(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    layout = arrange(lead_plan("3x4"), PAPERS["letter"], Placement(20, 8, 50, 40), duration_s=10.0)
    file = tmp_path_factory.mktemp("scans") / "page.png"
    cv2.imwrite(str(file), render(recording, layout, PLAIN, 120, np.random.default_rng(0)).image[..., ::-1])
    return file


@pytest.fixture(scope="module")
def out(checkpoint: Path, scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `ecgdig.digitize`, `digitize.py` and `eval_snr.py` leave with the documented packages alone."""
    out = tmp_path_factory.mktemp("out")
    (out / "told.txt").write_text(alone(READ_AND_SCORE, *map(str, (scan, checkpoint, out))).stdout)
    return out


def alone(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A script where only the documented packages can be imported."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-c", ALONE + script, *words, " ".join(named())]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_the_reading_is_that_of_torch(out: Path, scan: Path) -> None:
    with_torch = ecgdig.digitize(scan, checkpoint=ink_model(), layout="3x4").recording.signal_mv
    assert np.isfinite(with_torch).any(1).all()
    for name in ("api.npz", "page.npz"):
        with np.load(out / name) as file:
            np.testing.assert_allclose(file["signal"], with_torch, atol=1e-3)


def test_pages_are_scored(out: Path, checkpoint: Path) -> None:
    summary = json.loads((out / "scores.json").read_text())
    assert f"SNR {summary['metrics']['snr_db']['mean']:.2f} ±" in (out / "told.txt").read_text()
    assert summary["checkpoint"]["name"] == checkpoint.name
    assert summary["failures"] == []


def test_what_needs_torch_says_so_where_there_is_none() -> None:
    done = alone(ASK_FOR_TORCH, str(ROOT / "checkpoints" / hub.DEFAULT))
    why, code = done.stdout.splitlines()
    assert "torch is not installed, and it is read with that; pip install torch" in why
    assert hub.ONNX in why
    assert code == "2"
    assert done.stderr.strip() == "ecgdig train: torch is not installed; pip install torch"


def test_another_onnx_file_is_refused(checkpoint: Path) -> None:
    (checkpoint.parent / "text.onnx").write_text("not a network")
    with pytest.raises(Exception, match=r"(?i)protobuf"):
        OnnxNet((checkpoint.parent / "text.onnx").read_bytes())


def test_the_library_is_told_to_report_nothing(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")}
    code = "import ecgdig; ecgdig.load(runtime='onnx')"
    subprocess.run([sys.executable, "-c", code], env={**environment, "HOME": str(tmp_path)}, check=True)
    assert not list(tmp_path.rglob("*onnxruntime*"))  # where it keeps what it will send
