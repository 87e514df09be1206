"""What the readers of pictures raise."""

from __future__ import annotations


class ImageError(ValueError):
    """A file or array that is not a usable picture; the message is one line and says the remedy."""
