"""A model card for a checkpoint's folder, in the form that model hubs read, and the folder sent to one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecgdig.hub import parts
from ecgdig.hub.files import CONFIG, ONNX, WEIGHTS, CheckpointError, read_config
from ecgdig.io.atomic import whole_file

CARD = "README.md"
_CARD = """---
library_name: ecgdig
tags: [ecg, electrocardiogram, digitization]
---

# {name}

A trace network of ecgdig: it follows one row of a paper ECG and says in millimetres where the trace runs.

- **Use:** research on ECG digitization: scans and photos with a visible grid. Not a medical device, no diagnosis. A
  reading can be wrong without looking wrong.
- **Network:** {network}; strips of ±{half_height_mm:g} mm at {px_per_mm_x:g} x {px_per_mm_y:g} px/mm, {sub_columns}
  values a pixel column.
- **Error bars:** sigma² = ({factor:g} x spread)² + ({floor:g} mm)² + what the geometry adds.
- **Made by:** {note}
- **SHA-256** of the weights: `{sha256}`

```python
import ecgdig

reading = ecgdig.digitize("scan.png", checkpoint="{name}")  # this folder, or its id on a hub
```
"""


def write_card(folder: Path) -> Path:
    """README.md of a checkpoint's folder, from its config.json; one that is there stays as it is."""
    card = folder / CARD
    if not card.exists():
        with whole_file(card) as file:
            file.write_text(card_of(read_config(folder), folder.name), encoding="utf-8")
    return card


def card_of(config: Mapping[str, Any], name: str) -> str:
    """The card as Markdown with the front matter of hubs."""
    network = ", ".join(f"{key} {value}" for key, value in config["network"].items())
    factor, floor = config["sigma"]
    note = config["about"].get("note") or "not told"
    return _CARD.format(
        name=name, network=network, factor=factor, floor=floor, note=note, sha256=config["sha256"], **config["strip"]
    )


def push(folder: Path, hub_id: str) -> str:
    """Send a checkpoint's folder to the Hugging Face hub as model `owner/name`; returns its address.

    Raises:
        CheckpointError: not logged in, no such owner, no network.
    """
    from huggingface_hub import HfApi

    try:
        api = HfApi()
        there = [file.name for file in folder.iterdir()]
        wanted = [file for name in (CONFIG, WEIGHTS, ONNX) for file in parts.stored(name, there)]
        address = str(api.create_repo(hub_id, exist_ok=True))
        api.upload_folder(repo_id=hub_id, folder_path=folder, allow_patterns=[*wanted, CARD])
    except Exception as error:  # network, permission, a bad id: the library has dozens of errors
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(f"{hub_id}: cannot be pushed ({reason}); log in with `hf auth login`") from None
    return address
