from __future__ import annotations

from pathlib import Path

import pytest
from readings import results

from ecgdig.scoring.journal import Journal
from ecgdig.scoring.results import summary_of

ABOUT = {"what": "six pages", "sha256": "0" * 64}


def _write(file: Path, n: int) -> None:
    journal = Journal(file, ABOUT)
    for result in results()[:n]:
        journal.add(result, {"residual": "data:,"} if result.index == 1 else {})
    journal.close()


def test_results_come_back_as_they_were(tmp_path: Path) -> None:
    _write(tmp_path / "new" / "run.jsonl", 6)
    journal = Journal(tmp_path / "new" / "run.jsonl", ABOUT)
    assert summary_of(journal.results.values()) == summary_of(results())
    assert journal.pictures == {1: {"residual": "data:,"}}
    journal.close()


@pytest.mark.parametrize("cut", [1, 50, 10**6])
def test_a_line_cut_by_a_kill_is_read_again(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "run.jsonl"
    _write(file, 4)
    whole = file.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    file.write_bytes(whole[: max(last + 1, len(whole) - cut)])
    journal = Journal(file, ABOUT)
    assert sorted(journal.results) == [0, 1, 2]
    for result in results()[3:]:
        journal.add(result, {})
    journal.close()
    assert len(file.read_text().splitlines()) == 7
    journal = Journal(file, ABOUT)
    assert summary_of(journal.results.values()) == summary_of(results())
    journal.close()


def test_a_cut_first_line_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    _write(file, 0)
    file.write_bytes(file.read_bytes()[:9])
    _write(file, 2)
    assert len(file.read_text().splitlines()) == 3


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    journal = Journal(None, ABOUT)
    journal.add(results(2)[0], {})
    journal.close()
    assert list(journal.results) == [0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["notes", "notes\n", "{}\n", '{"ecgdig_evaluation": 1}\n{}\n', "[1]\n"])
def test_other_files_are_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.txt"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"mine\.txt: not a file that --resume wrote"):
        Journal(file, ABOUT)
    assert file.read_text() == text


def test_another_evaluation_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "run.jsonl", 1)
    with pytest.raises(ValueError, match="what six pages, now others"):
        Journal(tmp_path / "run.jsonl", {**ABOUT, "what": "others"})


def test_one_run_at_a_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.jsonl", ABOUT)
    with pytest.raises(ValueError, match="another evaluation is writing"):
        Journal(tmp_path / "run.jsonl", ABOUT)
    journal.close()
