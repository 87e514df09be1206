from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from small_net import HPARAMS, SPEC, small_net

from ecgdig import hub
from ecgdig.commands import share
from ecgdig.hub.onnx_net import OnnxNet


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = hub.save(small_net(), HPARAMS, SPEC, tmp_path_factory.mktemp("hub") / "mine", {"sigma": [1.5, 0.03]})
    share.main([str(folder), "--onnx"])
    return folder


@pytest.mark.parametrize("n, width", [(1, 16), (2, 512), (5, 48)])
def test_onnx_says_what_torch_says_for_any_batch_and_width(folder: Path, n: int, width: int) -> None:
    strips = np.random.default_rng(n).integers(0, 256, (n, 3, 64, width), np.uint8)
    ours, theirs = hub.load(folder, runtime="torch"), hub.load(folder, runtime="onnx")
    for a, b in zip(ours.chances(strips), theirs.chances(strips), strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype == np.float32
        np.testing.assert_allclose(a, b, atol=1e-4, rtol=0)
    assert isinstance(theirs.net, OnnxNet)
    assert (ours.spec, ours.sigma, ours.sha256) == (theirs.spec, theirs.sigma, theirs.sha256)
    assert theirs.sigma == (1.5, 0.03)  # what was calibrated stays when ONNX is added


def test_the_files_are_known_by_their_sha256(folder: Path, tmp_path: Path) -> None:
    config = json.loads((folder / hub.CONFIG).read_text())
    assert config["onnx"]["differs"] <= 1e-4
    other = tmp_path / "other"
    other.mkdir()
    for name in (hub.CONFIG, hub.ONNX):
        (other / name).write_bytes((folder / name).read_bytes())
    assert isinstance(hub.load(other).net, OnnxNet)  # nothing but ONNX is needed
    (other / hub.ONNX).write_bytes((folder / hub.ONNX).read_bytes()[:-1])
    with pytest.raises(hub.CheckpointError, match=r"model.onnx is not the file .*SHA-256"):
        hub.load(other)


def test_without_onnxruntime_torch_reads_or_it_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecgdig.hub.loading.has_onnxruntime", lambda: False)
    assert isinstance(hub.load(folder).net, torch.nn.Module)
    for name in (hub.CONFIG, hub.ONNX):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(hub.CheckpointError, match=r"pip install 'ecgdig\[onnx\]'"):
        hub.load(tmp_path)


def test_an_onnx_file_that_differs_is_not_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ecgdig.hub import export

    before = (folder / hub.ONNX).read_bytes()
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    monkeypatch.setattr(export, "_export", lambda model, file: file.write_bytes(before))
    with pytest.raises(hub.CheckpointError, match="would differ from torch"):
        export.add_onnx(hub.load(folder, runtime="torch"), folder)
    assert sorted(p.name for p in folder.iterdir()) == ["README.md", hub.CONFIG, hub.ONNX, hub.WEIGHTS]
    assert (folder / hub.ONNX).read_bytes() == before
