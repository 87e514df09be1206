"""A torch network written as safetensors and config.json."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgdig.hub import parts
from ecgdig.hub.files import FORMAT, ONNX, UNCALIBRATED, WEIGHTS, digest, write_config
from ecgdig.strip import StripSpec

if TYPE_CHECKING:
    from ecgdig.tasks.trace_net import TraceNet

NETWORK = ("encoder", "depth", "decoder_channels", "block", "sub_columns", "features", "refine")


def save(
    net: TraceNet, hparams: Mapping[str, Any], spec: StripSpec, folder: str | os.PathLike[str], about: Mapping[str, Any]
) -> Path:
    """Write a network as fp16 safetensors and config.json; each appears whole or not at all.

    An ONNX file of the weights that were there before is removed: it would be another network's.

    Args:
        hparams: the task's hyper-parameters, of which those of the network are kept.
        about: free JSON (command, data, scores) kept under "about"; "sigma" if calibrated.
    """
    from safetensors.torch import save as to_bytes

    target = Path(folder)
    state = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in net.state_dict().items()
    }
    parts.remove(target / ONNX)
    parts.write(target / WEIGHTS, to_bytes(state))  # save_file lets nobody but the owner read it
    config = {
        "format": FORMAT,
        "kind": "trace",
        "network": network_of(hparams),
        "strip": asdict(spec),
        "sigma": about.get("sigma", list(UNCALIBRATED)),
        "about": {key: value for key, value in about.items() if key != "sigma"},
        "sha256": digest(target / WEIGHTS),
    }
    write_config(target, config)
    return target


def network_of(hparams: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a task's hyper-parameters that make its network, as plain JSON."""
    return {key: list(v) if isinstance(v := hparams[key], (list, tuple)) else v for key in NETWORK}
