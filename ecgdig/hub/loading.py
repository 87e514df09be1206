"""From a name, a folder, a training checkpoint or a place in the net to a network that reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ecgdig.hub import parts
from ecgdig.hub.files import (
    CONFIG,
    DEFAULT,
    ONNX,
    UNCALIBRATED,
    WEIGHTS,
    CheckpointError,
    available,
    checked,
    read_config,
    released,
)
from ecgdig.hub.model import TraceModel
from ecgdig.hub.onnx_net import OnnxNet
from ecgdig.hub.remote import fetched, is_remote
from ecgdig.ort import has_onnxruntime
from ecgdig.strip import StripSpec

RUNTIMES = ("auto", "onnx", "torch", "cuda")


def load(
    name_or_path: str | os.PathLike[str] = DEFAULT, *, runtime: str = "auto", sha256: str | None = None
) -> TraceModel:
    """A network that reads: released, shared by others, or of one's own training.

    Args:
        name_or_path: a released checkpoint's name (`trace-unet`); a folder with config.json and
            model.safetensors, model.onnx or both; a .ckpt of one's own training; a W&B artifact
            (`entity/project/name:best`); an id on the Hugging Face hub (`owner/name` or `hf:owner/name@revision`).
        runtime: `onnx` (no torch is imported), `torch`, `cuda` (torch on a GPU), or `auto`: onnx where the checkpoint
            holds an ONNX file and onnxruntime is installed, else torch. All but `cuda` run on the CPU.
        sha256: what the weights' SHA-256 must be, if known from elsewhere.

    Raises:
        CheckpointError: nothing there, damaged, another format, a pickle that holds more than tensors, or no GPU.
    """
    if runtime not in RUNTIMES:
        raise CheckpointError(f"unknown runtime {runtime!r}; use one of {', '.join(RUNTIMES)}")
    path = _found(str(name_or_path))
    try:
        model = _on_gpu(path) if runtime == "cuda" else _opened(path, runtime)
    except CheckpointError:
        raise
    except ModuleNotFoundError as error:
        raise CheckpointError(
            f"{path}: {error.name} is not installed, and it is read with that; pip install {error.name}, or give a "
            f"checkpoint that holds {ONNX}"
        ) from None
    except Exception as error:  # a damaged file, whatever it does to the libraries that read it
        reason = (str(error).splitlines() or [""])[0].partition(". ")[0]  # without torch's advice to run its code
        raise CheckpointError(
            f"{path}: unreadable checkpoint ({type(error).__name__}: {reason}); copy it again"
        ) from None
    if sha256 is not None and model.sha256 != sha256.lower():
        raise CheckpointError(f"{path}: SHA-256 of the weights is {model.sha256}, not {sha256}; do not use it")
    return model


def _found(name: str) -> Path:
    path = Path(name)
    if path.is_file() and path.name in {WEIGHTS, ONNX, CONFIG}:
        return path.parent
    if path.is_dir() or (path.is_file() and path.suffix == ".ckpt"):
        return path
    here = released(name)
    if here is not None:
        return here
    if is_remote(name):
        return fetched(name)
    raise CheckpointError(
        f"no checkpoint {name!r}; give a folder, a .ckpt file, a W&B artifact (entity/project/name:alias), a hub id "
        f"(owner/name) or one of: {', '.join(available()) or 'none'}"
    )


def _opened(path: Path, runtime: str) -> TraceModel:
    if path.is_file():
        if runtime == "onnx":
            raise CheckpointError(f"{path}: has no {ONNX}; scripts/share.py {path} --out DIR --onnx makes one")
        return _lightning(path)
    config = read_config(path)
    if runtime == "torch" or (runtime == "auto" and not _runs_in_onnx(path, config)):
        return _torch(path, config)
    return _onnx(path, config)


def _on_gpu(path: Path) -> TraceModel:
    import torch

    if not torch.cuda.is_available():
        raise CheckpointError("no GPU that torch can use here (runtime 'cuda'); leave the runtime out")
    model = _opened(path, "torch")
    net: Any = model.net
    net.to("cuda")  # in place
    return model


def _runs_in_onnx(path: Path, config: dict[str, Any]) -> bool:
    if "onnx" not in config or not parts.exists(path / ONNX):
        return False
    return has_onnxruntime() or not parts.exists(path / WEIGHTS)


def _onnx(path: Path, config: dict[str, Any]) -> TraceModel:
    if "onnx" not in config:
        raise CheckpointError(f"{path}: has no {ONNX}; scripts/share.py {path} --onnx makes one")
    if not has_onnxruntime():
        raise CheckpointError(f"{path}: {ONNX} needs onnxruntime; pip install 'ecgdig[onnx]'")
    return _model(path, config, OnnxNet(checked(path, ONNX, config["onnx"]["sha256"])))


def _torch(path: Path, config: dict[str, Any]) -> TraceModel:
    from safetensors.torch import load as from_bytes

    from ecgdig.hub.formats import upgraded
    from ecgdig.tasks.trace_net import TraceNet

    state = from_bytes(checked(path, WEIGHTS, config["sha256"]))
    full = {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
    network, full = upgraded(config, full)
    net = TraceNet(**network)
    net.load_state_dict(full)
    return _model(path, {**config, "network": network}, net.eval())


def _model(path: Path, config: dict[str, Any], net: Any) -> TraceModel:
    factor, floor = config["sigma"] if config["format"] >= 3 else UNCALIBRATED
    return TraceModel(net, StripSpec(**config["strip"]), path.name, config["sha256"], (factor, floor), config)


def _lightning(path: Path) -> TraceModel:
    """One's own training; `weights_only` lets no code of the file run."""
    from dataclasses import asdict

    import torch

    from ecgdig.hub.files import digest
    from ecgdig.hub.saving import network_of
    from ecgdig.tasks.trace import TraceTask

    saved = torch.load(path, map_location="cpu", weights_only=True)
    task = TraceTask(**{k: v for k, v in saved["hyper_parameters"].items() if not k.startswith("_")})
    task.load_state_dict(saved["state_dict"])
    config = {"network": network_of(task.hparams), "strip": asdict(task.spec)}
    return TraceModel(task.net.eval(), task.spec, path.stem, digest(path), UNCALIBRATED, config)
