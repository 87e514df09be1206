from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ecgdig.web.samples import GALLERY, sample_page, wished_page


def test_a_page_of_the_gallery_is_what_it_says_and_always_the_same() -> None:
    page, again = (sample_page(GALLERY[0]) for _ in range(2))
    np.testing.assert_array_equal(page.image, again.image)
    assert page.layout.name == GALLERY[0].layout
    assert not page.degradations


def test_wishes_are_obeyed() -> None:
    page = wished_page({"seed": 3, "layout": "6x2", "strengths": {"grey": 1.0}})
    assert page.layout.name == "6x2"
    assert page.degradations == {"grey": 1.0}
    assert np.ptp(page.image.astype(int), axis=2).max() == 0


@pytest.mark.parametrize(
    "wish, why",
    [
        ({"colour": 1}, "unknown wish 'colour'; want seed"),
        ({"seed": True}, "seed 'True'; want a whole number"),
        ({"seed": -1}, "seed '-1'"),
        ({"preset": ["scan"]}, "unknown preset"),
        ({"layout": "1x1"}, "unknown layout '1x1'"),
        ({"strengths": 3}, "strengths '3'; want up to 12 names"),
        ({"strengths": {"fog": 1}}, "unknown degradation 'fog'"),
        ({"strengths": {"blur": 1.5}}, "strength '1.5' of blur; want 0 to 1"),
    ],
)
def test_other_wishes_are_refused_in_a_line(wish: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        wished_page(wish)
    assert "\n" not in str(refused.value)
