"""Whether Weights & Biases is used online or offline."""

from __future__ import annotations

import netrc
import os
from urllib.parse import urlparse

_HOST = "api.wandb.ai"


def wandb_mode() -> str:
    """`WANDB_MODE` if set; else "online" for a user who has logged in (`wandb login`), "offline" for others.

    Asking wandb itself (`wandb.api.api_key`) would fix its settings before they are complete, and a run without an
    account would then fail.
    """
    return os.environ.get("WANDB_MODE") or ("online" if _has_key() else "offline")


def _has_key() -> bool:
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlparse(os.environ.get("WANDB_BASE_URL", "")).hostname or _HOST
    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False
