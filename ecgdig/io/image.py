"""Reading pictures of pages."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_PIXELS = 60_000_000
MIN_SIDE = 64  # px; no ECG fits in less
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")


class ImageError(ValueError):
    """A file that is not a usable picture; the message is one line and names the file and the remedy."""


def read_image(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """A picture as uint8 RGB `(H, W, 3)`, turned as its EXIF orientation says, transparency on white.

    Raises:
        ImageError: missing, damaged, not a picture, or of unusable size.
    """
    file = Path(path)
    if not file.is_file():
        raise ImageError(f"{file}: no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    limit = MAX_PIXELS / 1e6
                    raise ImageError(f"{file}: {width} x {height} px; shrink it to {limit:.0f} megapixels or less")
                if min(width, height) < MIN_SIDE:
                    raise ImageError(f"{file}: {width} x {height} px; too small for an ECG page")
                picture.load()
                upright = ImageOps.exif_transpose(picture)
                return _rgb(upright)
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise ImageError(f"{file}: more pixels than any page; shrink it to {MAX_PIXELS / 1e6:.0f} megapixels") from None
    except UnidentifiedImageError:
        raise ImageError(f"{file}: not a picture; give {', '.join(SUFFIXES)}") from None
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ImageError(f"{file}: damaged picture ({reason}); copy or scan it again") from None


def _rgb(picture: Image.Image) -> NDArray[np.uint8]:
    if picture.mode.startswith(("I", "F")):  # 16 bits or more: from its darkest to its lightest
        values = np.asarray(picture, np.float64)
        low, high = float(values.min()), float(values.max())
        grey = ((values - low) * (255 / max(high - low, 1e-9)) + 0.5).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        over = picture.convert("RGBA")
        white = Image.new("RGBA", over.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, over)
    return np.array(picture.convert("RGB"), np.uint8)
