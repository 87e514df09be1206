"""Checkpoints that others share: W&B artifacts and the Hugging Face hub, kept in a cache; no pickle is taken."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from ecgdig.hub import parts
from ecgdig.hub.files import CONFIG, ONNX, WEIGHTS, CheckpointError, available
from ecgdig.tracking import wandb_mode

_WANDB = re.compile(r"(wandb:)?(?P<ref>([\w.-]+/)?[\w.-]+/[\w.-]+:[\w.-]+)")
_HUB = re.compile(r"(?P<prefix>hf:)?(?P<id>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(@(?P<revision>[\w./-]+))?")
_PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl")


def is_remote(name: str) -> bool:
    """Whether a name is a W&B artifact or a hub id. `owner/name` is none where there is a folder `owner` here."""
    if _WANDB.fullmatch(name):
        return True
    hub = _HUB.fullmatch(name)
    if hub is None:
        return False
    return bool(hub["prefix"]) or not (Path(hub["id"]).parent.exists() or name.endswith(_PICKLES))


def fetched(name: str) -> Path:
    """The folder of a remote checkpoint, downloaded where it is not in the cache.

    Raises:
        CheckpointError: it cannot be reached, does not exist, or holds no config.json and safetensors or ONNX.
    """
    artifact, hub = _WANDB.fullmatch(name), _HUB.fullmatch(name)
    if artifact is None and hub is None:
        raise CheckpointError(f"{name}: neither a W&B artifact (entity/project/name:alias) nor a hub id (owner/name)")
    try:
        if artifact is not None:
            return _from_wandb(artifact["ref"])
        assert hub is not None
        return _from_hub(hub["id"], hub["revision"])
    except CheckpointError:
        raise
    except Exception as error:  # network, permission, no such thing: both libraries have dozens of errors
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(
            f"{name}: cannot be fetched ({type(error).__name__}: {reason}); checkpoints that are here: "
            f"{', '.join(available()) or 'none'}"
        ) from None


def cache() -> Path:
    """Where artifacts are kept: `ECGDIG_CACHE`, or ecgdig in the user's cache folder."""
    given = os.environ.get("ECGDIG_CACHE")
    return Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "ecgdig"


def _from_wandb(reference: str) -> Path:
    if wandb_mode() != "online":
        raise CheckpointError(
            f"{reference}: a W&B artifact is fetched by a user who is logged in (wandb login; WANDB_MODE not offline); "
            "or download it with `wandb artifact get` and give its folder"
        )
    import wandb

    artifact = wandb.Api().artifact(reference)
    _refuse_pickles(reference, artifact.manifest.entries)
    folder = cache() / "wandb" / artifact.digest
    return Path(artifact.download(root=str(folder)))


def _from_hub(name: str, revision: str | None) -> Path:
    from huggingface_hub import HfApi, hf_hub_download

    endpoint = os.environ.get("HF_ENDPOINT")
    info = HfApi(endpoint=endpoint).model_info(name, revision=revision)
    there = [file.rfilename for file in info.siblings or []]
    _refuse_pickles(name, there)
    # at the commit that was listed: all files are of one version
    wanted = [file for name in (CONFIG, WEIGHTS, ONNX) for file in parts.stored(name, there)]
    files = [hf_hub_download(name, file, revision=info.sha, endpoint=endpoint) for file in wanted]
    return Path(files[0]).parent


def _refuse_pickles(name: str, files: Iterable[str]) -> None:
    there = set(files)
    if CONFIG in there and any(parts.stored(name, there) for name in (WEIGHTS, ONNX)):
        return
    pickles = sorted(file for file in there if file.endswith(_PICKLES))
    if pickles:
        raise CheckpointError(
            f"{name}: holds {pickles[0]}, a pickle, which could run anything when it is loaded; ask for {WEIGHTS} and "
            f"{CONFIG} (scripts/share.py writes them)"
        )
    listed = ", ".join(sorted(there)[:8]) or "nothing"
    raise CheckpointError(f"{name}: holds {listed}; want {CONFIG} and {WEIGHTS} or {ONNX}")
