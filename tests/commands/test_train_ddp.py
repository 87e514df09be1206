"""Training by two processes on CPU, as configs/cluster.yaml starts it."""

from __future__ import annotations

import csv
import math
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from timm.layers import BatchNormAct2d

from ecgdig.commands import train
from ecgdig.tasks import TraceTask

ROOT = Path(__file__).parents[2]
NOTED = """
import os, sys
from lightning.pytorch import Callback
from ecgdig.commands import train
from ecgdig.data import StripDataset

get = StripDataset.__getitem__

def noted(self, index):
    with open(f"seen-{os.environ.get('LOCAL_RANK', '0')}.txt", "a") as file:
        file.write(f"{'val' if self.in_order else 'train'} {index}\\n")
    return get(self, index)

StripDataset.__getitem__ = noted
train.FirstStrips = lambda folder: Callback()  # it draws strips for its picture
train.main(sys.argv[1:])
"""
SPEC = {"half_height_mm": 8, "px_per_mm_x": 4, "px_per_mm_y": 4}
NET = {"encoder": "resnet18", "depth": 2, "decoder_channels": [8, 8], "block": 2, "features": 2, "refine": 4, **SPEC}
STRIPS = {"spec": SPEC, "presets": {"clean": 1}, "val_presets": {"clean": 1}, "width_px": 64, "batch_size": 2}
TINY = {
    "examples": 0,
    "ema": 0,
    "model": {"class_path": "group_norm.GroupNormTask", "init_args": NET},  # batch norm sees its own share only
    "data": {
        "class_path": "ecgdig.data.StripDataModule",
        "init_args": {**STRIPS, "strips_per_epoch": 12, "val_strips": 6, "workers": 0},
    },
    "trainer": {
        "max_epochs": 2,
        "num_sanity_val_steps": 0,
        "log_every_n_steps": 1,
        "enable_checkpointing": False,
        "gradient_clip_val": 1.0,
    },
}
HERE = "--trainer.num_nodes 1 --trainer.devices 2 --trainer.accelerator cpu --trainer.sync_batchnorm false"


ALONE = "--trainer.accelerator cpu --trainer.devices 1 --data.batch_size 4"  # the same strips a step


def started(folder: Path, run: str, options: str, **environment: str) -> subprocess.Popen[str]:
    """A process that trains in `folder` as configs/cluster.yaml says."""
    path = os.pathsep.join(filter(None, [str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, "PYTHONPATH": path, "WANDB_MODE": "disabled", "OMP_NUM_THREADS": "1", **environment}
    command = [sys.executable, "run.py", "--config", "tiny.yaml", "--config", "cluster.yaml", *options.split()]
    return subprocess.Popen(
        [*command, "--run", run], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes have trained the run `two`, and one the run `one`."""
    folder = tmp_path_factory.mktemp("ddp")
    (folder / "run.py").write_text(NOTED)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    done = started(folder, "two", HERE)
    said = done.communicate()[1]
    assert done.returncode == 0, said[-2000:]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("WANDB_MODE", "disabled")
        train.main(["--config", "tiny.yaml", *ALONE.split(), "--run", "one"])
    return folder


def curves(folder: Path, run: str) -> dict[str, list[float]]:
    """Every column of a run's table that is a loss or a score of validation, with all its values."""
    found: dict[str, list[float]] = {}
    with (folder / "runs" / run / "log" / "metrics.csv").open() as file:
        for row in csv.DictReader(file):
            for name, value in row.items():
                if value and name.startswith(("train/", "val/")) and name != "train/items_per_s":
                    found.setdefault(name, []).append(float(value))
    return found


def same_curves(found: dict[str, list[float]], expected: dict[str, list[float]]) -> None:
    assert set(found) == set(expected)
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-4, abs=1e-4), name


@pytest.mark.slow
def test_two_processes_train_on_every_strip_once(folder: Path) -> None:
    seen = [(folder / f"seen-{rank}.txt").read_text().splitlines() for rank in (0, 1)]
    assert sorted(line for one in seen for line in one if line.startswith("train")) == sorted(
        f"train {i}" for i in range(24)
    )
    assert [sum(line.startswith("train") for line in one) for one in seen] == [12, 12]
    assert {line for one in seen for line in one if line.startswith("val")} == {f"val {i}" for i in range(6)}
    assert (folder / "runs/two/last.ckpt").is_file()


@pytest.mark.slow
def test_two_processes_have_the_loss_curve_of_one(folder: Path) -> None:
    one = curves(folder, "one")
    same_curves(curves(folder, "two"), one)
    assert len(one["train/loss"]) == 6
    assert len(one["val/loss"]) == len(one["val/failures"]) == len(one["val/snr_db_median"]) == 2
    assert "val/interval_90_coverage" in one
    assert max(one["train/loss"]) - min(one["train/loss"]) > 0.05  # there is a curve
    assert all(math.isfinite(value) for value in one["train/loss"])


@pytest.mark.slow
def test_what_slurm_starts_on_two_machines_trains_as_one(folder: Path, tmp_path: Path) -> None:
    """Slurm itself is not here: its variables are, as srun gives them to a task on each of two machines."""
    for name in ("run.py", "tiny.yaml"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    job = {"SLURM_JOB_ID": "4711", "SLURM_JOB_NAME": "ecgdig", "SLURM_NODELIST": "127.0.0.1", "MASTER_PORT": port}
    job |= {"SLURM_NNODES": "2", "SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "1", "SLURM_LOCALID": "0"}
    options = HERE.replace("num_nodes 1", "num_nodes 2").replace("devices 2", "devices 1")
    tasks = [started(tmp_path, "two", options, **job, SLURM_PROCID=str(i), SLURM_NODEID=str(i)) for i in (0, 1)]
    said = [task.communicate()[1] for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0], said[0][-2000:] + said[1][-2000:]
    same_curves(curves(tmp_path, "two"), curves(folder, "one"))


def test_the_job_for_slurm_is_that_of_the_configuration() -> None:
    trainer = yaml.safe_load((ROOT / "configs" / "cluster.yaml").read_text())["trainer"]
    asked = dict(re.findall(r"^#SBATCH --([\w-]+)=(\d+)$", (ROOT / "docs/howto/train.md").read_text(), re.M))
    assert int(asked["nodes"]) == trainer["num_nodes"]
    # Lightning refuses another number of tasks than of devices: one task a GPU, started by srun
    assert int(asked["ntasks-per-node"]) == int(asked["gpus-per-node"]) == trainer["devices"]
    assert trainer["sync_batchnorm"]


@pytest.mark.parametrize("name", ["unet", "unet_cpu", "unet_deep_cpu"])
def test_synchronised_batch_norm_replaces_nothing_else(name: str) -> None:
    """Torch puts its own layer in the place of every batch norm, also of those that hold an activation as well."""
    config = yaml.safe_load((ROOT / "configs" / f"{name}.yaml").read_text())["model"]["init_args"]
    task = TraceTask(**config).eval()
    strips = torch.randint(0, 256, (1, 3, task.spec.height_px, 64), dtype=torch.uint8)
    with torch.no_grad():
        before, after = task(strips), torch.nn.SyncBatchNorm.convert_sync_batchnorm(task)(strips)
    assert sum(isinstance(layer, torch.nn.SyncBatchNorm) for layer in task.modules()) > 10
    train.check_batch_norms(task)
    for a, b in zip(before, after, strict=True):
        assert torch.equal(a, b)


def test_batch_norms_that_hold_an_activation_are_not_synchronised() -> None:
    task = TraceTask(**NET)  # type: ignore[arg-type]
    train.check_batch_norms(task)
    task.net.add_module("extra", BatchNormAct2d(4))
    with pytest.raises(SystemExit, match="would replace BatchNormAct2d, activation and all"):
        train.check_batch_norms(task)
