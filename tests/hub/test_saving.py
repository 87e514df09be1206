from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small_net import HPARAMS, SPEC, small_net

from ecgdig import hub
from ecgdig.hub.files import digest
from ecgdig.hub.saving import NETWORK, network_of
from ecgdig.tasks.trace_net import TraceNet


@pytest.fixture(scope="module")
def net() -> TraceNet:
    return small_net()


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


def test_weights_are_halved_counters_are_not_and_the_digest_is_of_the_file(net: TraceNet, folder: Path) -> None:
    kept, state = load_file(folder / hub.WEIGHTS), net.state_dict()
    assert set(kept) == set(state)
    for name, value in state.items():
        assert kept[name].dtype == (torch.float16 if value.is_floating_point() else value.dtype)
    config = json.loads((folder / "config.json").read_text())
    assert config["sha256"] == digest(folder / hub.WEIGHTS)
    assert config["network"] == HPARAMS


def test_others_may_read_what_is_shared(folder: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o666 & ~mask}


def test_an_onnx_file_of_other_weights_does_not_stay(net: TraceNet, folder: Path) -> None:
    (folder / hub.ONNX).write_bytes(b"of the weights before")
    hub.save(net, HPARAMS, SPEC, folder, {})
    assert not (folder / hub.ONNX).exists()


def test_of_the_hyper_parameters_those_of_the_network_are_kept() -> None:
    given = {**dict.fromkeys(NETWORK, 1), "decoder_channels": (8, 8), "learning_rate": 0.1}
    assert network_of(given) == {**dict.fromkeys(NETWORK, 1), "decoder_channels": [8, 8]}
