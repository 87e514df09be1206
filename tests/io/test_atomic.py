from __future__ import annotations

from pathlib import Path

import pytest

from ecgdig.io.atomic import whole_file


def test_appears_under_its_name_at_the_end(tmp_path: Path) -> None:
    with whole_file(tmp_path / "new" / "a.json") as file:
        file.write_text("{}")
        assert not (tmp_path / "new" / "a.json").exists()
        assert file.suffix == ".json"
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.json"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "a.txt") as file:
        file.write_text(str(1 / 0))
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]
