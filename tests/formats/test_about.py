from __future__ import annotations

import numpy as np
import pytest

from ecgdig.formats import About
from ecgdig.formats.about import runs
from ecgdig.recording import Recording


def test_gaps_say_when_in_which_leads_and_why(page: tuple[Recording, About]) -> None:
    recording, about = page
    texts = [gap.text(500) for gap in about.gaps(recording)]
    assert "not printed: I, III from 1.5 to 6.3 s" in texts
    assert "not readable: V2 from 3.2 to 3.3 s" in texts
    assert "not readable: V3 from 3 to 4.5 s" in texts
    assert not any("II " in text for text in texts if "III" not in text)  # the rhythm strip is whole, to 6 s
    blank = sum((gap.last - gap.first) * len(gap.leads) for gap in about.gaps(recording))
    assert blank == np.isnan(recording.signal_mv).sum()


def test_without_a_page_nothing_is_said_of_print() -> None:
    recording = Recording(("I",), 100.0, np.array([[np.nan, 1, np.nan, np.nan]], np.float32))
    assert [(g.first, g.last, g.why) for g in About().gaps(recording)] == [(0, 1, "not known"), (2, 4, "not known")]
    assert About().pairs(recording)["missing samples"].startswith("not known: I from 0 to 0.01 s")
    assert "source" not in About().pairs(recording)


@pytest.mark.parametrize(
    ("where", "found"), [([], []), ([0, 0], []), ([1, 1], [(0, 2)]), ([1, 0, 1, 1, 0], [(0, 1), (2, 4)])]
)
def test_runs(where: list[int], found: list[tuple[int, int]]) -> None:
    assert runs(np.array(where, bool)) == found
