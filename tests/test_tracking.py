from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ecgdig.tracking import wandb_mode


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    keys = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(keys))
    return keys


def test_offline_without_an_account(nobody: Path) -> None:
    assert wandb_mode() == "offline"
    nobody.write_text("machine elsewhere.org login a password b\n")
    assert wandb_mode() == "offline"


def test_online_with_one(nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody.write_text("machine api.wandb.ai login user password key\n")
    assert wandb_mode() == "online"
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.hospital.org:8080/")
    assert wandb_mode() == "offline"
    monkeypatch.setenv("WANDB_API_KEY", "k")
    assert wandb_mode() == "online"


def test_wandb_mode_has_the_last_word(nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody.write_text("machine api.wandb.ai login user password key\n")
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert wandb_mode() == "disabled"


def test_a_run_starts_without_an_account(nobody: Path, tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from ecgdig.commands.train import make_loggers;"
        f"loggers = make_loggers(Path({str(tmp_path / 'run')!r}), 'name', 'project', {{}});"
        "loggers[1].experiment.log({'x': 1}); loggers[1].experiment.finish()"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("WANDB_")} | {"HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*.wandb"))
