from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from small_net import HPARAMS, SPEC, small_net

import ecgdig
from ecgdig import hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return hub.save(small_net(), HPARAMS, SPEC, tmp_path / "mine", {"sigma": [1.5, 0.03], "command": "x"})


def test_released_checkpoints_load() -> None:
    assert hub.DEFAULT in hub.available()
    for name in hub.available():
        assert hub.load(name, runtime="torch").name == name


def test_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(hub.CheckpointError, match=hub.DEFAULT):
        hub.load("no-such-network")


def test_it_is_the_package_s_own_load() -> None:
    assert ecgdig.load is hub.load


def test_weights_of_another_sha256_are_refused(folder: Path) -> None:
    right = hub.load(folder).sha256
    assert hub.load(folder / hub.WEIGHTS, sha256=right.upper()).sha256 == right
    with pytest.raises(hub.CheckpointError, match="do not use it"):
        hub.load(folder, sha256="0" * 64)


@pytest.mark.parametrize("runtime, says", [("onnx", "--onnx makes one"), ("tpu", "auto, onnx, torch")])
def test_what_cannot_run_here_says_what_to_do(folder: Path, runtime: str, says: str) -> None:
    with pytest.raises(hub.CheckpointError, match=says):
        hub.load(folder, runtime=runtime)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_none_is_used(folder: Path) -> None:
    with pytest.raises(hub.CheckpointError, match="no GPU"):
        hub.load(folder, runtime="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_says_the_same(folder: Path) -> None:
    strips = np.random.default_rng(0).integers(0, 256, (2, 3, SPEC.height_px, 64)).astype(np.uint8)
    here, there = (hub.load(folder, runtime=runtime).chances(strips) for runtime in ("torch", "cuda"))
    for a, b in zip(here, there, strict=True):
        np.testing.assert_allclose(a, b, atol=5e-3)  # convolutions in TF32


ELSEWHERE = """
import hashlib, sys
import numpy as np
import ecgdig
model = ecgdig.load("theirs")
strips = np.random.default_rng(0).integers(0, 256, (2, 3, model.spec.height_px, 64)).astype(np.uint8)
print(hashlib.sha256(b"".join(part.tobytes() for part in model.chances(strips))).hexdigest())
"""


def test_what_is_shared_gives_the_same_bits_in_a_process_elsewhere(folder: Path, tmp_path: Path) -> None:
    model = hub.load(folder)
    strips = np.random.default_rng(0).integers(0, 256, (2, 3, model.spec.height_px, 64)).astype(np.uint8)
    here = hashlib.sha256(b"".join(part.tobytes() for part in model.chances(strips))).hexdigest()
    there = tmp_path / "elsewhere"
    shutil.copytree(folder, there / "theirs")
    shutil.rmtree(folder)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "OMP_NUM_THREADS": str(torch.get_num_threads()),
    }
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], cwd=there, env=environment, check=True, capture_output=True
    )
    assert done.stdout.decode().strip() == here


def _other_bytes(folder: Path) -> None:
    data = bytearray((folder / hub.WEIGHTS).read_bytes())
    data[-1] ^= 1
    (folder / hub.WEIGHTS).write_bytes(data)


def _truncated(folder: Path) -> None:
    (folder / hub.WEIGHTS).write_bytes((folder / hub.WEIGHTS).read_bytes()[:100])


def _no_config(folder: Path) -> None:
    (folder / hub.CONFIG).unlink()


def _bad_json(folder: Path) -> None:
    (folder / hub.CONFIG).write_text("{")


def _other_kind(folder: Path) -> None:
    config = json.loads((folder / hub.CONFIG).read_text())
    (folder / hub.CONFIG).write_text(json.dumps(config | {"kind": "page"}))


def _future(folder: Path) -> None:
    config = json.loads((folder / hub.CONFIG).read_text())
    (folder / hub.CONFIG).write_text(json.dumps(config | {"format": 99}))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_other_bytes, "SHA-256"),
        (_truncated, "SHA-256"),
        (_no_config, "unreadable"),
        (_bad_json, "unreadable"),
        (_future, "format 99; .*formats 1 and 2.*trace-unet-small"),
        (_other_kind, "for page"),
    ],
)
def test_spoilt_checkpoints_get_one_line(folder: Path, spoil: object, says: str) -> None:
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(hub.CheckpointError, match=says) as caught:
        hub.load(folder)
    assert "\n" not in str(caught.value)


class _Harm:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("a pickle was run",))


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    with (tmp_path / "evil.ckpt").open("wb") as file:
        pickle.dump(_Harm(), file)
    with pytest.raises(hub.CheckpointError, match="unreadable") as caught:
        hub.load(tmp_path / "evil.ckpt")
    assert "weights_only" not in str(caught.value)  # torch advises to run it all the same
