from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecgdig.page.facts import facts_of
from ecgdig.recording import Recording


def test_what_the_recording_says_is_printed(smooth: Recording) -> None:
    said = {"Patient ID": "A-17", "name": "Berg, A.", "AGE": "61", "gender": "F"}
    said |= {"height": "171.6 cm", "weight": "many"}
    told = facts_of(replace(smooth, metadata=said), np.random.default_rng(0))
    assert (told.number, told.name, told.age, told.sex, told.height_cm) == ("A-17", "Berg, A.", "61", "F", 172)
    assert 45 <= told.weight_kg < 120  # what is no number is invented


def test_long_words_are_cut(smooth: Recording) -> None:
    told = facts_of(replace(smooth, metadata={"name": "x" * 100}), np.random.default_rng(0))
    assert told.name == "x" * 24


def test_what_is_invented_fits_together_and_is_the_same_again(smooth: Recording) -> None:
    for seed in range(30):
        told = facts_of(smooth, np.random.default_rng(seed))
        assert told == facts_of(smooth, np.random.default_rng(seed))
        assert told.qtc == round(told.qt * (told.rate / 60) ** 0.5)
        assert len(set(told.statements[:-1])) == len(told.statements) - 1
        assert told.number.isdigit()
    assert facts_of(smooth, np.random.default_rng(1)) != facts_of(smooth, np.random.default_rng(2))
