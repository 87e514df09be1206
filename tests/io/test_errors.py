from __future__ import annotations

import numpy as np
import pytest

import ecgdig
from ecgdig.io.errors import ImageError
from ecgdig.io.image import as_picture


def test_it_is_a_value_error_that_reading_raises_in_one_line() -> None:
    with pytest.raises(ImageError, match=r"an array of shape \(4,\)") as caught:
        as_picture(np.zeros(4, np.uint8))
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)
    with pytest.raises(ImageError, match="no such file"):
        ecgdig.digitize("nowhere.png")
