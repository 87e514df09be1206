"""Training by two processes on CPU, as configs/cluster.yaml starts it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

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
STRIPS = {"spec": SPEC, "presets": {"clean": 1}, "val_presets": {"clean": 1}, "width_px": 64, "batch_size": 1}
TINY = {
    "examples": 0,
    "ema": 0,
    "model": {"class_path": "ecgdig.tasks.TraceTask", "init_args": NET},
    "data": {
        "class_path": "ecgdig.data.StripDataModule",
        "init_args": {**STRIPS, "strips_per_epoch": 4, "val_strips": 2, "workers": 0},
    },
    "trainer": {"max_epochs": 2, "num_sanity_val_steps": 0, "log_every_n_steps": 1, "enable_checkpointing": False},
}
HERE = "--trainer.num_nodes 1 --trainer.devices 2 --trainer.accelerator cpu --trainer.sync_batchnorm false"


@pytest.mark.slow
def test_two_processes_train_on_every_strip_once(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(NOTED)
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, "PYTHONPATH": path, "WANDB_MODE": "disabled", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "run.py", "--config", "tiny.yaml", "--config", "cluster.yaml", *HERE.split()]
    done = subprocess.run([*command, "--run", "x"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    seen = [(tmp_path / f"seen-{rank}.txt").read_text().splitlines() for rank in (0, 1)]
    assert sorted(line for one in seen for line in one if line.startswith("train")) == [f"train {i}" for i in range(8)]
    assert [sum(line.startswith("train") for line in one) for one in seen] == [4, 4]
    assert {line for one in seen for line in one if line.startswith("val")} == {"val 0", "val 1"}
    with (tmp_path / "runs/x/log/metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows if row["train/loss"]] == [0, 1, 2, 3]
    assert (tmp_path / "runs/x/last.ckpt").is_file()
