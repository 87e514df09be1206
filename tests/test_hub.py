from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch

from ecgdig import hub
from ecgdig.strip import StripSpec
from ecgdig.tasks.trace_net import TraceNet

HPARAMS = {
    "encoder": "tu-resnet10t",
    "depth": 2,
    "decoder_channels": [8, 8],
    "block": 4,
    "sub_columns": 2,
    "features": 2,
    "refine": 4,
}
SPEC = StripSpec(8.0, 4.0, 4.0, 2)


@pytest.fixture(scope="module")
def net() -> TraceNet:
    torch.manual_seed(0)
    return TraceNet(**HPARAMS).eval()  # type: ignore[arg-type]


@pytest.fixture
def folder(net: TraceNet, tmp_path: Path) -> Path:
    return hub.save(net, HPARAMS, SPEC, tmp_path / "mine", {"sigma": [1.5, 0.03], "command": "x"})


def test_round_trip(net: TraceNet, folder: Path) -> None:
    model = hub.load(folder)
    assert model.spec == SPEC
    assert model.sigma == (1.5, 0.03)
    assert model.config["about"] == {"command": "x"}
    strips = torch.randint(0, 255, (1, 3, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        # weights are stored in half precision
        torch.testing.assert_close(model.net(strips).height, net(strips).height, atol=0.05, rtol=0.02)
    assert sorted(p.name for p in folder.iterdir()) == ["config.json", "model.safetensors"]


def test_released_checkpoints_load() -> None:
    assert hub.DEFAULT in hub.available()
    for name in hub.available():
        assert hub.load(name).name == name


def test_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(hub.CheckpointError, match=hub.DEFAULT):
        hub.load("no-such-network")


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
        (_future, "format 99"),
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
    with pytest.raises(hub.CheckpointError, match="unreadable"):
        hub.load(tmp_path / "evil.ckpt")
