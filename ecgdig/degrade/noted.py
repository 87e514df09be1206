"""What degradations drew: a generator that keeps values by name, so that a page can tell how it came about."""

from __future__ import annotations

import numpy as np

Value = float | str


class Noting(np.random.Generator):
    """Draws what the generator it is made from would draw, from the same state, and keeps what is noted.

    Attributes:
        values: `degradation.parameter` -> the values noted under it, in order.
        scope: the degradation that is drawing.
    """

    def __init__(self, rng: np.random.Generator, scope: str = "", values: dict[str, list[Value]] | None = None) -> None:
        super().__init__(rng.bit_generator)
        self.scope = scope
        self.values: dict[str, list[Value]] = {} if values is None else values

    def of(self, scope: str) -> Noting:
        """The same, for another degradation."""
        return Noting(self, scope, self.values)

    def noted(self) -> dict[str, tuple[Value, ...]]:
        return {name: tuple(values) for name, values in self.values.items()}


def note(rng: np.random.Generator, **drawn: Value | np.generic) -> None:
    """Keep values of parameters (numbers to six digits), where `rng` keeps any."""
    if isinstance(rng, Noting):
        for name, value in drawn.items():
            kept: Value = str(value) if isinstance(value, str) else float(f"{value:.6g}")
            rng.values.setdefault(f"{rng.scope}.{name}", []).append(kept)
