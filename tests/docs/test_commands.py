"""Every command block of README and docs runs, page after page, each page in a folder of its own.

What would take minutes runs with the fewer pages and smaller networks of `REDUCED`; what needs an account, or installs,
is replaced there too. A command that is not named there runs as it stands. docs/log.md, which tells what was run, is
left out.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import wandb
from click.testing import CliRunner
from ink_net import ink_model
from packaging.requirements import Requirement
from readings import folders
from small_net import HPARAMS

from ecgdig import api, hub
from ecgdig.commands import demo, digitize, evaluate
from ecgdig.commands.main import main
from ecgdig.io import write_wfdb
from ecgdig.page import PLAIN, Placement, arrange, lead_plan, render
from ecgdig.page.layout import Paper
from ecgdig.page.plan import LeadPlan, parse_plan
from ecgdig.sources import Simulator
from ecgdig.tasks import TraceTask

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(p for p in (ROOT / "docs").rglob("*.md") if p.name != "log.md")]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_COMMANDS = ("ecgdig", "make", "pip", "python", "ray", "wandb")

_NET = " ".join(
    f"--model.init_args.{name} {value}"
    for name, value in {"encoder": "tu-resnet10t", "depth": 2, "decoder_channels": "[8,8]", "refine": 4}.items()
)
_SPEC = " ".join(
    f"--{part}.{name} {value}"
    for part in ("model.init_args", "data.init_args.spec")
    for name, value in {"half_height_mm": 8, "px_per_mm_x": 4, "px_per_mm_y": 4}.items()
)
_SHORT = (
    "--data.init_args.batch_size 2 --data.init_args.strips_per_epoch 2 --data.init_args.val_strips 2 "
    "--data.init_args.workers 0 --examples 0 --trainer.max_epochs 1 --trainer.accelerator cpu "
    "--trainer.enable_progress_bar false"
)
TINY = f"{_NET} {_SPEC} {_SHORT} --data.init_args.width_px 64 --data.init_args.presets.clean 1"
EVAL = "--limit 1 --dpi 100 --geometry true"

# command, as it stands in the docs -> what is added to it; a whole other command where it begins with "="
REDUCED = {
    "ecgdig doctor": "=ecgdig doctor --help",
    "ecgdig serve": "=ecgdig serve --help",
    "ecgdig serve --host 0.0.0.0 --port 8765": "=ecgdig serve --help",
    "make venv": "=make -n venv",
    "make demo": "=python scripts/demo.py --pages 1 --preset clean",
    "make test": "=make -n test",
    "python scripts/digitize.py IMAGE... --out DIR": "=python scripts/digitize.py scan.png --out DIR",
    "python scripts/render.py --out DIR --preset photo": "=python scripts/render.py --out PAGES --limit 1 --workers 0",
    "python scripts/render.py --out pages --preset photo --limit 3 --scale usual": (
        "--preset clean --limit 1 --layout 3x4 --dpi 120 --workers 0"
    ),
    "python scripts/render.py ptb-xl --out ptbxl-scans --preset scan --workers 2": (
        "--preset clean --layout 3x4 --dpi 100 --scale usual --workers 0"
    ),
    "python scripts/digitize.py archive --out readings --workers 2": "--workers 1 --format npz",
    "python scripts/render.py hospital --out pages --preset scan --limit 1": "--preset clean --dpi 100 --workers 0",
    "python scripts/eval_snr.py --records hospital --preset clean": EVAL,
    "python scripts/eval_snr.py": EVAL,
    "python scripts/eval_snr.py --pages pages --html report.html": "--geometry true",
    "python scripts/eval_snr.py --pages ptbxl-scans --resume ptbxl.jsonl --json ptbxl.json --html ptbxl.html": (
        "--geometry true --limit 1"
    ),
    "python scripts/eval_snr.py --preset scan --html report.html": EVAL,
    "python scripts/eval_snr.py --preset scan --layout all --checkpoint trace-unet-small --json before.json": EVAL,
    "python scripts/eval_snr.py --preset scan --layout all --checkpoint runs/mine/best.ckpt --json now.json": EVAL,
    "python scripts/share.py runs/mine/best.ckpt --out checkpoints/mine --records records/val --onnx": (
        "=python scripts/share.py runs/mine/best.ckpt --out checkpoints/mine --pages 3"  # the next block adds ONNX
    ),
    "python scripts/digitize.py s3://archive/scans --out s3://archive/readings --format csv --workers 2": "--workers 1",
    "python scripts/render.py --out s3://archive/pages --preset scan --limit 2 --workers 2": (
        "--preset clean --layout 3x4 --dpi 100 --scale usual --workers 0"
    ),
    "python scripts/eval_snr.py --pages s3://archive/pages --json s3://archive/scores.json": EVAL,
    "python scripts/render.py ptb-xl --out ray-pages --preset scan --engine ray --workers 2": (
        "--preset clean --layout 3x4 --dpi 60 --scale usual --workers 1"
    ),
    "python scripts/digitize.py archive --out ray-readings --engine ray --workers 2": "--workers 1 --format npz",
    "ray start --head --port 6379": "=ray start --help",
    "python scripts/render.py ptb-xl --out ray-pages --preset scan --engine ray --ray-address head:6379": (
        "=python scripts/render.py ptb-xl --out ray-pages --preset clean --layout 3x4 --dpi 60 --scale usual"  # done
    ),
    "python scripts/digitize.py archive --out ray-readings --engine ray --ray-address head:6379": (
        "=python scripts/digitize.py archive --out ray-readings --format npz"  # done above, and kept
    ),
    "python scripts/eval_snr.py --records ptb-xl --preset scan --json test-fold.json": EVAL,
    "python scripts/train.py --config unet.yaml": TINY,
    "python scripts/train.py --config unet.yaml --data.records ptb-xl --data.val_records ptb-xl --run ptbxl": TINY,
    "wandb sync runs/mine/wandb/offline-run-*": "=wandb sync --help",
    "wandb sweep configs/sweep.yaml": "=wandb sweep --help",
    "wandb agent SWEEP_ID": "=wandb agent --help",
}


def reduced(command: str) -> str:
    """The command that is run for one of the docs."""
    more = REDUCED.get(command)
    if more is not None:
        return more[1:] if more.startswith("=") else f"{command} {more}"
    if "scripts/train.py --config unet_cpu.yaml" in command:
        return f"{command} {_SHORT if '--init ' in command else TINY}".replace("--trainer.max_epochs 48", "")
    return command


def commands_of(block: str) -> list[str]:
    """The lines of a block without remarks."""
    lines = (re.sub(r"\s+# .*$", "", line).strip() for line in block.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def drawn(plan: LeadPlan) -> np.ndarray:  # type: ignore[type-arg]
    """6 s on a small sheet, which is read faster than a large one."""
    layout = arrange(plan, Paper(178, 90), Placement(20, 8, 22, 24), duration_s=6.0)
    return render(Simulator(1, seed=4)[0], layout, PLAIN, 120, np.random.default_rng(0)).image[..., ::-1]


@pytest.fixture(scope="module")
def scan() -> np.ndarray:  # type: ignore[type-arg]
    return drawn(lead_plan("3x4"))


@pytest.fixture
def desk(scan: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:  # type: ignore[type-arg]
    """A folder with what the docs speak of: a scan, an archive, records, PTB-XL, readings of others, a checkpoint."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-account"))
    monkeypatch.setenv("MPLBACKEND", "agg")
    for name in ("WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("scan.png", "archive/1987.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(name, scan)
    cv2.imwrite("odd.png", drawn(parse_plan("V1,V2,V3/V4,V5,V6/I,II,III")))
    table = "ecg_id,age,sex,strat_fold,filename_lr,filename_hr\n"
    for i, fold in enumerate((1, 9)):
        recording = Simulator(2, seed=4)[i]
        for folder in ("records/train", "records/val"):
            write_wfdb(recording, folder, f"patient{i}")
        write_wfdb(recording, "ptb-xl/records500/00000", f"0000{i}_hr")
        table += f"{i},50,0,{fold},records100/00000/0000{i}_lr,records500/00000/0000{i}_hr\n"
    Path("ptb-xl/ptbxl_database.csv").write_text(table)
    for name, n in (("a", 3), ("b", 4)):
        read, truth = folders(tmp_path / name, n)
        Path(read).rename({"a": "theirs", "b": "ours"}[name])
        if name == "b":
            Path(truth).rename("truth")
    (tmp_path / "checkpoints").mkdir()
    for name in hub.available():
        (tmp_path / "checkpoints" / name).symlink_to(ROOT / "checkpoints" / name)
    yield tmp_path
    wandb.finish()  # of a run that a command left open: a later one in this process would go on in it


def trained() -> None:
    """runs/mine/best.ckpt, as a short training leaves it."""
    torch.manual_seed(0)
    strip = {"half_height_mm": 16.0, "px_per_mm_x": 2.0, "px_per_mm_y": 2.0}
    task = TraceTask(**HPARAMS, **strip)  # type: ignore[arg-type]
    task.net.present.bias.data.fill_(9)  # something is read everywhere
    Path("runs/mine").mkdir(parents=True)
    torch.save({"state_dict": task.state_dict(), "hyper_parameters": dict(task.hparams)}, "runs/mine/best.ckpt")


def bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    """s3://archive with a scan, on a server of this test."""
    moto = pytest.importorskip("moto.server", reason="needs moto, of the dev extra")
    s3fs = pytest.importorskip("s3fs", reason="needs s3fs: pip install 'ecgdig[cloud]'")
    pytest.importorskip("ray", reason="needs Ray: pip install 'ecgdig[ray]'")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()  # a daemon thread: it ends with the tests
    host, port = server.get_host_and_port()
    for name, value in {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("ECGDIG_CACHE", str(Path("cache").resolve()))
    s3fs.S3FileSystem.clear_instance_cache()
    store = s3fs.S3FileSystem()
    store.makedirs("archive", exist_ok=True)
    store.put_file("archive/1987.png", "archive/scans/1987.png")


def stand_in(name: Any = hub.DEFAULT, *how: Any, **more: Any) -> hub.TraceModel:
    """The stand-in network for the released one, which one page has."""
    return ink_model() if name in (None, *hub.available()) else hub.load(name, **more)


def run(command: str) -> None:
    words = shlex.split(command)
    environment = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
    words = [word for word in words if not re.match(r"[A-Z_]+=", word)]
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        if words[0] == "python":
            assert (ROOT / words[1]).is_file(), command
            name = {"eval_snr": "evaluate"}.get(Path(words[1]).stem, Path(words[1]).stem)
            importlib.import_module(f"ecgdig.commands.{name}").main(words[2:])
        elif words[0] == "ecgdig":
            ends_well(words[1:])
        elif words[0] == "wandb":
            from wandb.cli.cli import cli

            assert CliRunner().invoke(cli, words[1:]).exit_code == 0, command
        elif words[0] == "ray":
            from ray.scripts.scripts import cli as ray_cli

            assert CliRunner().invoke(ray_cli, words[1:]).exit_code == 0, command
        elif words[0] == "pip":
            installs(words[2:])
        else:
            done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    finally:
        for key, value in before.items():
            os.environ.pop(key, None) if value is None else os.environ.update({key: value})


def ends_well(words: list[str]) -> None:
    """`ecgdig` with these words; --help leaves by SystemExit(0)."""
    try:
        main(words)
    except SystemExit as left:
        if left.code:
            raise


def installs(packages: list[str]) -> None:
    """Whether what `pip install` would bring is here, in the versions that are asked for."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for package in (Requirement(word) for word in packages if not word.startswith("-")):
        assert version(package.name) in package.specifier
        for extra in package.extras:
            assert extra in extras, f"{package} has no such extra"
            assert all(version(each.name) in each.specifier for each in map(Requirement, extras[extra]))


def blocks(page: Path) -> list[tuple[str, str]]:
    """(language, text) of every block that is run; those without a language are, if they begin with a command."""
    out = []
    for language, text in _BLOCK.findall(page.read_text()):
        first = text.split(maxsplit=1)[0] if text.strip() else ""
        if language in ("sh", "python") or (not language and first in _COMMANDS):
            out.append((language or "sh", text))
    return out


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda p: str(p.relative_to(ROOT)))
def test_every_block_runs(page: Path, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if page.name != "without_torch.md":
        for module in (api, demo, digitize, evaluate):
            monkeypatch.setattr(module, "load", stand_in)
    if page.name in ("compare.md", "share.md"):
        trained()
    if page.name == "scale.md":
        bucket(monkeypatch)
    for language, text in blocks(page):
        if language == "python":
            exec(compile(text, str(page), "exec"), {"__name__": "__main__"})
        else:
            for command in commands_of(text):
                run(reduced(command))


def test_every_reduced_command_is_in_the_docs() -> None:
    there = [text for page in PAGES for language, text in blocks(page) if language == "sh"]
    assert set(REDUCED) <= {command for text in there for command in commands_of(text)}


def test_a_block_that_fails_is_seen(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run(f"python scripts/digitize.py {tmp_path}/none.png --out {tmp_path}/out")
    with pytest.raises(AssertionError):
        run("python scripts/nothing.py")
    with pytest.raises(AssertionError):
        run("pip install 'ecgdig[nothing]'")
