"""Several sources as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecgdig.recording import Recording
from ecgdig.sources.source import Source, checked_index


class Mixture:
    """`length` recordings drawn from several sources; which one is item i is a pure function of `seed` and i.

    Args:
        sources: where to draw from.
        weights: how often, relative to each other; need not add up to 1.
        seed: another seed, another draw.
        length: how many items the mixture has; a recording may come up several times.

    Raises:
        ValueError: no or empty sources, or weights that do not fit them.
    """

    def __init__(self, sources: Sequence[Source], weights: Sequence[float], seed: int, length: int) -> None:
        share = np.asarray(weights, np.float64)
        if not sources or share.shape != (len(sources),):
            raise ValueError(f"{len(sources)} sources and {share.size} weights; want one weight for each, at least one")
        if not np.isfinite(share).all() or (share < 0).any() or share.sum() <= 0:
            raise ValueError(f"weights {list(weights)}; want numbers from 0 up, not all 0")
        empty = [i for i, source in enumerate(sources) if share[i] > 0 and len(source) == 0]
        if empty:
            raise ValueError(f"source {empty[0]} ({type(sources[empty[0]]).__name__}) has no recordings; leave it out")
        self.sources = tuple(sources)
        self.share = share / share.sum()
        self.seed = seed
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Recording:
        source, item = self.pick(index)
        return self.sources[source][item]

    def pick(self, index: int) -> tuple[int, int]:
        """Which source, and which of its recordings, is item `index`."""
        rng = np.random.default_rng([self.seed, checked_index(index, self.length)])
        source = int(rng.choice(len(self.sources), p=self.share))
        return source, int(rng.integers(len(self.sources[source])))
