from __future__ import annotations

from pathlib import Path

import pytest

from ecgdig import hub
from ecgdig.commands import share
from ecgdig.strip import StripSpec
from ecgdig.tasks.trace_net import TraceNet

HPARAMS = {
    "encoder": "tu-resnet10t",
    "depth": 2,
    "decoder_channels": [8, 8],
    "block": 4,
    "sub_columns": 1,
    "features": 2,
    "refine": 4,
}


def test_a_shared_checkpoint_loads_with_its_sigma(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = TraceNet(**HPARAMS)  # type: ignore[arg-type]
    net.present.bias.data.fill_(9)  # something is read everywhere
    hub.save(net, HPARAMS, StripSpec(16.0, 2.0, 2.0, 1), tmp_path / "mine", {})
    share.main([str(tmp_path / "mine"), "--out", str(tmp_path / "theirs"), "--pages", "3", "--note", "how it was made"])
    model = hub.load(tmp_path / "theirs")
    assert model.config["about"]["note"] == "how it was made"
    assert "how it was made" in (tmp_path / "theirs" / "README.md").read_text()
    assert model.sigma[0] >= 0
    assert model.sigma[1] > 0
    assert "sigma" in capsys.readouterr().out


def test_a_folder_is_not_written_again_without_being_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        share.main([hub.DEFAULT])
    assert stopped.value.code == 2
    assert "--out DIR" in capsys.readouterr().err


def test_a_missing_checkpoint_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        share.main([str(tmp_path / "none.ckpt"), "--out", str(tmp_path / "out")])
    assert stopped.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
