"""What tests of formats share: the provenance of their page, and what is the same recording."""

from __future__ import annotations

import numpy as np

from ecgdig.recording import Recording

SHA = "0123456789abcdef" * 4
SOURCE = "digitized from an image of paper by ecgdig"


def same(read: Recording, written: Recording, step_mv: float = 0.001) -> None:
    """The same samples to half a step, the same gaps; leads and samples that the file lacks are not known."""
    assert read.fs == written.fs
    there = read.select(written.leads).crop(0, written.duration_s)
    np.testing.assert_array_equal(np.isnan(there.signal_mv), np.isnan(written.signal_mv))
    np.testing.assert_allclose(there.signal_mv, written.signal_mv, atol=0.5001 * step_mv + 1e-6)
