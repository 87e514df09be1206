"""Saving, finding and loading trained networks: safetensors and a JSON file, never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ecgdig.strip import StripSpec
from ecgdig.tasks.trace_net import TraceNet

CHECKPOINTS = Path(__file__).parent.parent / "checkpoints"
DEFAULT = "trace-unet-small"
FORMAT = 2  # 1: another arrangement of the full-resolution convolutions
WEIGHTS, CONFIG = "model.safetensors", "config.json"
_NETWORK = ("encoder", "depth", "decoder_channels", "block", "sub_columns", "features", "refine")
_STRIP = ("half_height_mm", "px_per_mm_x", "px_per_mm_y", "sub_columns")


class CheckpointError(ValueError):
    """A checkpoint that is missing, damaged, or of a kind that is not loaded; one line with the remedy."""


@dataclass(frozen=True)
class TraceModel:
    """A trained trace network with all that is needed to use it.

    Attributes:
        net: in evaluation mode, float32, on the CPU.
        spec: the strips it was trained for.
        name: what it is called in results.
        sha256: of the weights' file.
        sigma: (factor, floor in mm) that turn the spread of a column's distribution into a standard error.
        config: the whole config.json.
    """

    net: TraceNet
    spec: StripSpec
    name: str
    sha256: str
    sigma: tuple[float, float]
    config: dict[str, Any] = field(default_factory=dict)


def save(
    net: TraceNet, hparams: dict[str, Any], spec: StripSpec, folder: str | os.PathLike[str], about: dict[str, Any]
) -> Path:
    """Write a network as fp16 safetensors and config.json; both appear whole or not at all.

    Args:
        hparams: the task's hyper-parameters, of which those of the network are kept.
        about: free JSON (command, data, scores) kept under "about"; "sigma" if calibrated.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    state = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in net.state_dict().items()
    }
    config = {
        "format": FORMAT,
        "kind": "trace",
        "network": {key: _plain(hparams[key]) for key in _NETWORK},
        "strip": asdict(spec),
        "sigma": about.get("sigma", [1.0, 0.02]),
        "about": {key: value for key, value in about.items() if key != "sigma"},
    }
    weights = target / f".{WEIGHTS}.tmp"
    save_file(state, weights)
    config["sha256"] = hashlib.sha256(weights.read_bytes()).hexdigest()
    text = target / f".{CONFIG}.tmp"
    text.write_text(json.dumps(config, indent=1) + "\n")
    weights.replace(target / WEIGHTS)
    text.replace(target / CONFIG)
    return target


def load(name_or_path: str | os.PathLike[str] = DEFAULT) -> TraceModel:
    """A released checkpoint by name, a folder with model.safetensors and config.json, or a .ckpt of one's own training.

    Raises:
        CheckpointError: nothing there, damaged, another format, or a pickle that holds more than tensors.
    """
    path = Path(name_or_path)
    if not path.exists() and (CHECKPOINTS / path).exists():
        path = CHECKPOINTS / path
    if path.is_file() and path.suffix == ".ckpt":
        return _load_lightning(path)
    if path.is_file() and path.name == WEIGHTS:
        path = path.parent
    if not path.is_dir():
        there = ", ".join(available()) or "none"
        raise CheckpointError(f"no checkpoint {str(name_or_path)!r}; give a folder, a .ckpt file or one of: {there}")
    try:
        config = json.loads((path / CONFIG).read_text())
        digest = hashlib.sha256((path / WEIGHTS).read_bytes()).hexdigest()
        if config["format"] != FORMAT or config["kind"] != "trace":
            kind = f"{config['kind']} of format {config['format']}"
            raise CheckpointError(f"{path}: a checkpoint for {kind}; this version reads trace of format {FORMAT}")
        if digest != config["sha256"]:
            raise CheckpointError(
                f"{path}: {WEIGHTS} is not the file that config.json describes (SHA-256); copy it again"
            )
        net = TraceNet(**config["network"])
        net.load_state_dict(
            {
                key: value.float() if value.is_floating_point() else value
                for key, value in load_file(path / WEIGHTS).items()
            }
        )
        factor, floor = config["sigma"]
        return TraceModel(net.eval(), StripSpec(**config["strip"]), path.name, digest, (factor, floor), config)
    except CheckpointError:
        raise
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(
            f"{path}: unreadable checkpoint ({type(error).__name__}: {reason}); copy it again"
        ) from None


def available() -> list[str]:
    """Names of the released checkpoints that are here."""
    return sorted(config.parent.name for config in CHECKPOINTS.glob(f"*/{CONFIG}"))


def _load_lightning(path: Path) -> TraceModel:
    from ecgdig.tasks.trace import TraceTask

    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        task = TraceTask(**{k: v for k, v in saved["hyper_parameters"].items() if not k.startswith("_")})
        task.load_state_dict(saved["state_dict"])
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else ""
        raise CheckpointError(f"{path}: unreadable checkpoint ({type(error).__name__}: {reason})") from None
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    spec = StripSpec(**{key: task.hparams[key] for key in _STRIP})
    config = {"network": {key: _plain(task.hparams[key]) for key in _NETWORK}, "strip": asdict(spec)}
    return TraceModel(task.net.eval(), spec, path.stem, digest, (1.0, 0.02), config)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value
