"""`RowReading`: the trace of one row of a page, as the network read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class RowReading:
    """The trace of one row: paper x of its columns, height and standard deviation in mm, presence; all `(columns,)`."""

    x_mm: NDArray[np.float64]
    y_mm: NDArray[np.float64]
    spread_mm: NDArray[np.float64]
    present: NDArray[np.float32]
