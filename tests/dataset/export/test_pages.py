from __future__ import annotations

from ecgdig.dataset import Entry, Folder
from ecgdig.dataset.export.pages import mapped


def name_of(entry: Entry) -> str:
    return entry.name


def test_results_keep_their_order(folder: Folder) -> None:
    names = [entry.name for entry in folder]
    assert list(mapped(name_of, folder, 0)) == names
    many = [entry for _ in range(30) for entry in folder]
    assert list(mapped(name_of, many, 2)) == names * 30
