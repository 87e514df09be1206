from __future__ import annotations

import csv
import errno
import json
import os
from pathlib import Path

import pytest

from ecgdig.dataset.files import files_of
from ecgdig.dataset.manifest import FolderError, Journal, claimed, read_rows

Row = dict[str, str]


def row(folder: Path, index: int) -> Row:
    names = {"image": f"i{index}.jpg", "labels": f"l{index}.npz", "truth_files": f"t{index}.hea u{index}.dat"}
    for name in " ".join(names.values()).split():
        (folder / name).write_bytes(b"x")
    return {"page": f"p{index}", "index": str(index), "style": 'a,"b"\n', "empty": "", "truth": f"t{index}", **names}


def test_rows_come_back_sorted(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    rows = [row(tmp_path, i) for i in range(3)]
    for i in (2, 0, 1):
        journal.add(rows[i])
    with pytest.raises(FolderError, match="did not finish"):
        read_rows(tmp_path)
    journal.close()
    assert read_rows(tmp_path) == rows
    index = list(csv.DictReader((tmp_path / "index.csv").open()))
    assert index == [{"image": f"i{i}.jpg", "truth": f"t{i}", "labels": f"l{i}.npz"} for i in range(3)]


def test_columns_that_only_some_rows_have_come_last(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    rare = ({"b.x": "1"}, {}, {"a.y": "2 3", "b.x": "4"})
    for i, more in enumerate(rare):
        journal.add(row(tmp_path, i) | more)
    journal.close()
    rows = read_rows(tmp_path)
    assert list(rows[0]) == [*row(tmp_path, 0), "a.y", "b.x"]
    assert [(r["a.y"], r["b.x"]) for r in rows] == [("", "1"), ("", ""), ("2 3", "4")]


def test_a_line_that_a_kill_cut_does_not_count(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for i in range(2):
        journal.add(row(tmp_path, i))
    file = tmp_path / ".journal.jsonl"
    file.write_text(file.read_text()[:-9])
    again = Journal(tmp_path)
    assert sorted(again.rows) == [0]
    again.add(row(tmp_path, 1))
    again.close()
    assert [r["page"] for r in read_rows(tmp_path)] == ["p0", "p1"]


def test_a_page_that_lost_a_file_is_not_done(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for i in range(2):
        journal.add(row(tmp_path, i))
    journal.close()
    (tmp_path / "u1.dat").unlink()
    assert sorted(Journal(tmp_path).rows) == [0]


def test_pages_may_be_added_later(tmp_path: Path) -> None:
    for indices in ((0, 2), (1, 3)):
        journal = Journal(tmp_path)
        for i in indices:
            journal.add(row(tmp_path, i))
        journal.close()
    assert [r["index"] for r in read_rows(tmp_path)] == ["0", "1", "2", "3"]


def test_a_folder_belongs_to_one_description(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "pages"
    with claimed(folder, {"seed": 1}), pytest.raises(FolderError, match="another run"), claimed(folder, {"seed": 1}):
        pass
    with claimed(folder, {"seed": 1}):
        pass
    with pytest.raises(FolderError, match=r"seed 1, now 2") as error, claimed(folder, {"seed": 2}):
        pass
    assert "\n" not in str(error.value)


def test_other_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("x")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "manifest.csv").write_text("a,b\n1,2\n")
    for name, why in (("file", "is a file"), ("full", "not empty")):
        with pytest.raises(FolderError, match=why), claimed(tmp_path / name, {}):
            pass
    for name, why in (("nowhere", "no manifest.csv"), ("odd", "lacks the columns")):
        with pytest.raises(FolderError, match=why):
            read_rows(tmp_path / name)


def test_a_page_for_whose_line_there_is_no_room_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    rows = [row(tmp_path, index) for index in range(3)]
    journal.add(rows[0])
    file = journal._file

    class Full:
        """Takes ten bytes."""

        def write(self, data: bytes) -> int:
            if len(data) < len(json.dumps(rows[1])):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return file.write(data[:10])

        def __getattr__(self, name: str) -> object:
            return getattr(file, name)

    monkeypatch.setattr(journal, "_file", Full())
    with pytest.raises(OSError, match="No space left"):
        journal.add(rows[1])
    assert not any((tmp_path / name).exists() for name in files_of(rows[1]))
    monkeypatch.undo()
    journal.add(rows[2])
    file.close()
    assert sorted(Journal(tmp_path).rows) == [0, 2]
