from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ecgdig.degrade import textures


@pytest.mark.parametrize(
    "tile", [textures.cloud, textures.grain, textures.fibre, textures.felt, textures.wood, textures.cloth]
)
def test_tiles_are_even_and_repeat_without_a_seam(tile: Callable[[], NDArray[np.uint8]]) -> None:
    values = tile().astype(float)
    assert values.shape == (textures.SIZE, textures.SIZE)
    assert abs(values.mean() - 128) < 3
    assert 34 < values.std() < 41
    for axis in (0, 1):
        inside = np.abs(np.diff(values, axis=axis)).mean()
        seam = np.abs(np.take(values, 0, axis) - np.take(values, -1, axis)).mean()
        assert seam < 2 * inside + 1


def test_a_tile_is_laid_like_opencvs_remap() -> None:

    tile = textures.cloud()
    c, s = 0.7 * np.cos(0.4), 0.7 * np.sin(0.4)
    inverse = np.array([[c, -s, 100.3], [s, c, 40.8]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    theirs = cv2.warpAffine(tile, inverse, (300, 200), flags=flags, borderMode=cv2.BORDER_WRAP)
    ours = textures.lay(tile, (200, 300), 0.7, 0.4, (100.3, 40.8))
    assert np.abs(ours.astype(int) - theirs).max() <= 2
