from __future__ import annotations

import cv2
import numpy as np
import pytest

from ecgdig.degrade.focus import defocus


@pytest.fixture
def picture() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.8))


@pytest.mark.parametrize("seed", range(10))
def test_a_part_is_in_focus_and_a_part_is_not(seed: int, picture: np.ndarray) -> None:
    changed = defocus(picture, 1.0, np.random.default_rng(seed)).astype(float)
    difference = cv2.blur(np.abs(changed - picture).mean(-1), (15, 15))
    detail = [np.abs(np.diff(p.astype(float), axis=1)).mean() for p in (picture, changed)]
    assert difference.max() > 4
    assert difference.min() < 0.5 * difference.max()
    assert detail[1] < detail[0]
    assert abs(changed.mean() - picture.mean()) < 1.5


def test_without_strength_nothing_changes(picture: np.ndarray) -> None:
    np.testing.assert_array_equal(defocus(picture, 0.0, np.random.default_rng(0)), picture)
