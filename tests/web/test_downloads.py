from __future__ import annotations

import pytest

from ecgdig.formats import FORMATS
from ecgdig.web import downloads


def test_every_format_that_can_be_written_is_offered_in_words() -> None:
    there = downloads.offered()
    assert set(there) <= set(FORMATS)
    assert {name for name, each in FORMATS.items() if each.library is None} <= set(there)
    assert all(words != name for name, words in there.items())


def test_a_format_whose_library_is_missing_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "find_spec", lambda library: None)
    there = downloads.offered()
    assert "csv" in there
    assert "edf" not in there
    with pytest.raises(ValueError, match=r"unknown format edf; use .*csv"):
        downloads.checked(["csv", "edf"])


def test_names_are_taken_once_and_in_order() -> None:
    assert downloads.checked(["csv", "wfdb", "csv"]) == ("csv", "wfdb")
    with pytest.raises(ValueError, match=r"unknown format none; use "):
        downloads.checked([])
