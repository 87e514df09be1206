"""Lead names, paper speed and gain as they are printed: read from the ink map by a small convolutional network.

The network is run by `small_net`, which needs no torch; `scripts/train_names.py` trains it. Its answer is evidence
beside the traces' own: a name may be hidden, and an upright stroke looks like a serifless I.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.special import expit

from ecgdig.convolve import Array
from ecgdig.locate.ink import INK_PX_PER_MM, InkMap
from ecgdig.small_net import Layers, T, run
from ecgdig.units import LEADS

SPEED_TOKENS = ("12.5 mm/s", "25 mm/s", "50 mm/s", "100 mm/s")
GAIN_TOKENS = ("2.5 mm/mV", "5 mm/mV", "10 mm/mV", "20 mm/mV")
TOKENS = (*LEADS, "-aVR", *SPEED_TOKENS, *GAIN_TOKENS)
WEIGHTS = Path(__file__).parent / "names.safetensors"
STRIDE = 4  # px of the ink map a cell of the network's answer
# kernel, stride, dilation and channels of each layer; from the third on a layer adds to what it is given
LAYERS = ((5, 2, 1, 12), (3, 2, 1, 32), (3, 1, 1, 32), (3, 1, 2, 32), (3, 1, 2, 32), (3, 1, 4, 32), (3, 1, 4, 32))
LEAST_CHANCE = 0.12
_APART_MM = 2.0  # two names stand no nearer


@dataclass(frozen=True)
class Word:
    """A printed token: what it says, its middle in paper mm, and how sure that is, 0 to 1."""

    token: str
    x_mm: float
    y_mm: float
    chance: float


def read_words(page: InkMap) -> tuple[Word, ...]:
    """Lead names, speeds and gains printed on a page, the surest first; at one place there may be several."""
    maps = heat_maps(page.ink)
    words = []
    for token, chance in zip(TOKENS, maps, strict=True):
        highest = cv2.dilate(chance, np.ones((2 * round(_APART_MM * INK_PX_PER_MM / STRIDE) + 1,) * 2, np.uint8))
        for i, j in zip(*np.nonzero((chance == highest) & (chance > LEAST_CHANCE)), strict=True):
            x, y = (STRIDE * (k + 0.5) - 0.5 for k in (j, i))
            words.append(Word(token, float(page.x_mm(x)), float(page.y_mm(y)), float(chance[i, j])))
    return tuple(sorted(words, key=lambda word: -word.chance))


def heat_maps(ink: Array) -> Array:
    """How likely each token stands at each cell of `STRIDE` px: `(tokens, h // STRIDE, w // STRIDE)`.

    Args:
        ink: `(h, w)`, 0 to 1, at `INK_PX_PER_MM`.
    """
    h, w = (side // STRIDE * STRIDE for side in ink.shape)
    (logits,) = run(_answers, WEIGHTS, np.ascontiguousarray(ink[:h, :w, None]))
    return np.ascontiguousarray(np.moveaxis(expit(logits), 2, 0), np.float32)


def _answers(of: Layers[T], ink: T) -> tuple[T]:
    """The logits of each token at `STRIDE`."""
    value = ink
    for i, (_, stride, dilation, _) in enumerate(LAYERS):
        after = of.layer(f"{i}", value, stride, dilation)
        value = after + value if i >= 2 else after
    return (of.head("head", value),)


def best(words: Sequence[Word], tokens: Sequence[str]) -> Word | None:
    """The surest word that is one of `tokens`."""
    return next((word for word in words if word.token in tokens), None)
