import numpy as np

from ecgdig.corrections.retrace import blanked, replaced
from ecgdig.vectorize import RowReading


def row(x: np.ndarray, y: float) -> RowReading:
    return RowReading(x, np.full(x.shape, y), np.full(x.shape, 0.1), np.full(x.shape, 0.5, np.float32))


X = np.linspace(0.0, 10.0, 101)


def test_a_stretch_is_taken_from_the_part_and_the_rest_is_left() -> None:
    part = row(np.linspace(3.0, 5.0, 9), 7.0)
    out = replaced(row(X, 2.0), part)
    inside = (X >= 3.0) & (X <= 5.0)
    np.testing.assert_array_equal(out.y_mm, np.where(inside, 7.0, 2.0))
    np.testing.assert_array_equal(out.present, np.where(inside, 1.0, 0.5).astype(np.float32))


def test_a_blank_stretch_has_no_samples_and_the_given_row_is_not_changed() -> None:
    given = row(X, 2.0)
    out = blanked(given, 4.0, 6.0)
    inside = (X >= 4.0) & (X <= 6.0)
    np.testing.assert_array_equal(np.isnan(out.y_mm), inside)
    np.testing.assert_array_equal(np.isnan(out.spread_mm), inside)
    np.testing.assert_array_equal(out.present == 0, inside)
    assert np.isfinite(given.y_mm).all()
