"""A checkpoint's folder: what its files are called, where released ones lie, whether they are what config.json says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecgdig.hub import parts
from ecgdig.io.atomic import whole_file

DEFAULT = "trace-unet"
FORMAT = 3
READABLE = (1, 2, 3)  # formats that are loaded; see formats.py
UNCALIBRATED = (1.0, 0.02)  # sigma's factor and floor in mm, where they were not fitted
WEIGHTS, ONNX, CONFIG = "model.safetensors", "model.onnx", "config.json"
# in a checkout beside the package; in an installed wheel within it
FOLDERS = (Path(__file__).parents[2] / "checkpoints", Path(__file__).parents[1] / "checkpoints")


class CheckpointError(ValueError):
    """A checkpoint that is missing, damaged, or of a kind that is not loaded; one line with the remedy."""


def available() -> list[str]:
    """Names of the released checkpoints that are here."""
    return sorted({config.parent.name for folder in FOLDERS for config in folder.glob(f"*/{CONFIG}")})


def released(name: str) -> Path | None:
    """The folder of a released checkpoint; None where there is none of that name."""
    return next((folder / name for folder in FOLDERS if name in available() and (folder / name).is_dir()), None)


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a checkpoint's folder.

    Raises:
        CheckpointError: it is of another kind, or of a format that this version does not read.
        OSError, ValueError, KeyError: it is missing or no such file.
    """
    config: dict[str, Any] = json.loads((folder / CONFIG).read_text())
    if config["kind"] != "trace" or config["format"] not in READABLE:
        formats = " and ".join(map(str, READABLE))
        raise CheckpointError(
            f"{folder}: a checkpoint for {config['kind']} of format {config['format']}; this version reads trace of "
            f"formats {formats}; update ecgdig, or take one of: {', '.join(available()) or 'none'}"
        )
    return config


def digest(file: Path) -> str:
    """SHA-256 of a file, which may lie there in parts, in hexadecimal digits."""
    return hashlib.sha256(parts.read(file)).hexdigest()


def checked(folder: Path, name: str, sha256: str) -> bytes:
    """The content of a file of a checkpoint's folder, whose SHA-256 is what config.json says.

    Raises:
        CheckpointError: it is not.
        OSError: there is no such file.
    """
    data = parts.read(folder / name)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise CheckpointError(f"{folder}: {name} is not the file that {CONFIG} describes (SHA-256); copy it again")
    return data


def write_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Write config.json whole or not at all."""
    with whole_file(folder / CONFIG) as file:
        file.write_text(json.dumps(config, indent=1) + "\n")
