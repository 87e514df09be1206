from __future__ import annotations

import numpy as np

from ecgdig.callbacks.strips import with_truth


def test_the_truth_is_drawn_where_it_is_and_only_there() -> None:
    height = np.full(80, 12.0, np.float32)  # two values a pixel column
    height[40:60] = np.nan
    picture = with_truth({"image": np.full((3, 30, 40), 200, np.uint8), "height_px": height})
    drawn = picture[..., 1] > picture[..., 0] + 60.0  # green on grey
    assert drawn[12, 1:19].all()
    assert drawn[12, 31:39].all()
    assert not drawn[:, 21:29].any()
    assert not drawn[:11].any()
    assert not drawn[14:].any()


def test_items_without_heights_are_shown_as_they_are() -> None:
    image = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    np.testing.assert_array_equal(with_truth({"image": image}), image.transpose(1, 2, 0))
