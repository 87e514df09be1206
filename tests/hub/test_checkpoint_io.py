import os
import signal
import time
from pathlib import Path

import pytest
import torch

from ecgdig.hub import checkpoint_io
from ecgdig.hub.checkpoint_io import WholeCheckpoints


def weights(value: float, n: int = 4) -> dict[str, torch.Tensor]:
    return {"weight": torch.full((n,), value)}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    io = WholeCheckpoints()
    io.save_checkpoint(weights(1.0), tmp_path / "new" / "last.ckpt")
    io.save_checkpoint(weights(2.0), tmp_path / "new" / "last.ckpt")
    assert torch.equal(io.load_checkpoint(tmp_path / "new" / "last.ckpt")["weight"], weights(2.0)["weight"])
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["last.ckpt"]
    with pytest.raises(TypeError, match="storage_options"):
        io.save_checkpoint(weights(1.0), tmp_path / "last.ckpt", storage_options={})


def test_a_full_disk_leaves_the_checkpoint_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(checkpoint: object, file: Path) -> None:
        file.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    io = WholeCheckpoints()
    io.save_checkpoint(weights(1.0), tmp_path / "last.ckpt")
    monkeypatch.setattr(checkpoint_io.torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        io.save_checkpoint(weights(2.0), tmp_path / "last.ckpt")
    monkeypatch.undo()
    assert torch.equal(io.load_checkpoint(tmp_path / "last.ckpt")["weight"], weights(1.0)["weight"])
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_run_killed_while_it_saves_leaves_the_checkpoint_that_was_there(tmp_path: Path) -> None:
    io = WholeCheckpoints()
    io.save_checkpoint(weights(1.0), tmp_path / "last.ckpt")
    child = os.fork()
    if not child:
        torch.save = slowly(torch.save)
        io.save_checkpoint(weights(2.0), tmp_path / "last.ckpt")
        os._exit(0)
    until = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert torch.equal(io.load_checkpoint(tmp_path / "last.ckpt")["weight"], weights(1.0)["weight"])


def slowly(save):  # type: ignore[no-untyped-def]
    """`torch.save` on a slow disk: it stays half way."""

    def half(checkpoint: object, file: Path) -> None:
        save(checkpoint, file)
        file.write_bytes(file.read_bytes()[:100])
        time.sleep(600)

    return half
