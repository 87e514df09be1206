from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from ecgdig.dataset.plain import of_plain, to_plain
from ecgdig.page import PLAIN, Homography, Warp, Waves
from ecgdig.page.warp import Displacement
from ecgdig.sources.simulator import Conduction


def through(value: Any) -> Any:
    return of_plain(json.loads(json.dumps(to_plain(value), allow_nan=False)))


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, 0.1, -1e-300, "µV", (), (1, (2.5, "a")), {"a": (1, None)}, Conduction.LBBB, PLAIN,
        float("inf"), (float("-inf"), 1.0),
    ],
)  # fmt: skip
def test_values_come_back_equal(value: Any) -> None:
    assert through(value) == value


def test_nan_and_numpy_numbers() -> None:
    assert np.isnan(through(float("nan")))
    assert through(np.float64(0.1)) == 0.1
    assert through(np.int64(7)) == 7
    assert through([np.bool_(True)]) == (True,)


@pytest.mark.parametrize(
    "array",
    [
        np.random.default_rng(0).normal(size=(5, 4, 2)),  # any floats
        np.round(np.random.default_rng(0).normal(size=(9, 7, 2)) * 1024) / 1024,  # whole steps of 1 µm
        np.float32([[0.1, np.nan], [np.inf, 2]]).astype(np.float64),  # floats of half the size
        np.zeros((0, 2)),
        np.array(1.5),
        np.arange(6, dtype=np.uint8).reshape(2, 3),
        np.array([True, False]),
        np.array([2**40, -1]),
    ],
    ids=["floats", "steps", "halves", "empty", "scalar", "bytes", "bools", "ints"],
)
def test_arrays_come_back_bit_for_bit(array: np.ndarray) -> None:
    back = through(array)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()


def test_rounded_fields_of_shifts_are_small() -> None:
    y, x = np.mgrid[0:110, 0:150] * 2.0
    shift = np.stack([8 * np.sin(x / 40) * np.cos(y / 30), 5 * np.exp(-np.abs(x - y) / 60)], -1)
    rounded, exact = (len(json.dumps(to_plain(s))) for s in (np.round(shift * 1024) / 1024, shift))
    assert rounded < 30_000 < exact


def test_a_warp_maps_as_before(flat_page: Any) -> None:
    rng = np.random.default_rng(1)
    shift = Displacement(rng.normal(0, 0.3, (12, 15, 2)), 20.0)
    waves = Waves(((0.02, 0.01, 0.3, 1.5, -2.0),))
    warp = Warp(
        (waves, shift, Homography.of([[1.02, 0.1, 3], [0.01, 0.97, -2], [1e-4, -2e-4, 1]]), Homography.scale(7.1))
    )
    back = through(warp)
    mm = rng.uniform(0, 250, (500, 2))
    np.testing.assert_array_equal(back.to_px(mm), warp.to_px(mm))
    np.testing.assert_array_equal(back.to_mm(mm), warp.to_mm(mm))


@dataclass(frozen=True)
class Foreign:
    x: int


def test_only_this_package_is_stored_and_read() -> None:
    for value in (Foreign(1), {"$class": 1}, np.array(["a"]), len):
        with pytest.raises(TypeError):
            to_plain(value)
    for data in ({"$class": "os:system"}, {"$class": "ecgdig.page.page:nothing"}, {"$class": "ecgdig.page.text:stamp"}):
        with pytest.raises(ValueError, match=str(data["$class"])):
            of_plain(data)
    with pytest.raises(ValueError, match="version"):
        of_plain({"$class": "ecgdig.page.layout:Paper", "width_mm": 3, "colour": 1})
