from __future__ import annotations

import pytest

from ecgdig.web.limits import Limits
from ecgdig.web.sessions import FullError, Sessions


def test_idle_sessions_go_with_their_files() -> None:
    now = [0.0]
    sessions = Sessions(Limits(idle_s=10), lambda: now[0])
    old, new = sessions.new(), sessions.new()
    (old.add("a.png").folder / "upload").write_bytes(b"x")
    now[0] = 8.0
    assert sessions.find(new.id) is new
    now[0] = 12.0
    assert sessions.forget_idle() == [old]
    assert not old.folder.exists()
    assert new.folder.exists()
    assert sessions.find(old.id) is None
    sessions.close()
    assert not sessions.folder.exists()


def test_bounds_are_kept() -> None:
    sessions = Sessions(Limits(pages=2, sessions=1, session_mb=1))
    session = sessions.new()
    page = session.add("a")
    with pytest.raises(FullError):
        sessions.new()
    with session.room_for(600_000), pytest.raises(FullError, match="1 MB"), session.room_for(600_000):
        pass
    (page.folder / "upload").write_bytes(bytes(900_000))
    with pytest.raises(FullError, match="1 MB"), session.room_for(200_000):
        pass
    session.remove(page)
    with session.room_for(200_000):
        session.add("b")
    session.add("c")
    with pytest.raises(FullError, match="2 pages"):
        session.add("d")
    sessions.close()


def test_the_file_of_several_pages_goes_with_the_last_of_them() -> None:
    sessions = Sessions(Limits())
    session = sessions.new()
    first, second = session.add("a.pdf"), session.add("a.pdf, page 2")
    second.upload = first.folder
    session.remove(first)
    assert first.folder.exists()
    session.remove(second)
    assert not first.folder.exists()
    sessions.close()


@pytest.mark.parametrize(
    "given, shown", [("../../etc/x.png", "x.png"), ("C:\\a\\b.pdf", "b.pdf"), ("", "page"), ("a\0b\n", "ab")]
)
def test_names_are_labels_and_never_paths(given: str, shown: str) -> None:
    sessions = Sessions(Limits())
    page = sessions.new().add(given)
    assert page.name == shown
    assert page.folder.parent.parent == sessions.folder
    sessions.close()


def test_visitors_without_pages_make_room_for_others() -> None:
    now = [0.0]
    sessions = Sessions(Limits(sessions=3), lambda: now[0])
    kept, idle, last = sessions.new(), sessions.new(), sessions.new()
    kept.add("a.png")
    now[0] = 1.0
    sessions.find(last.id)
    new = sessions.new()
    assert [sessions.find(each.id) is each for each in (kept, idle, last, new)] == [True, False, True, True]
    sessions.close()


def test_what_is_written_after_a_session_has_ended_goes_too() -> None:
    sessions = Sessions(Limits())
    here, gone = sessions.new(), sessions.new()
    page = here.add("a.png")
    sessions.end(gone)
    with pytest.raises(FullError, match="has ended"):
        gone.add("b.png")
    (gone.folder / "late").mkdir(parents=True)
    sessions.sweep()
    assert sorted(sessions.folder.iterdir()) == [here.folder]
    assert page.folder.is_dir()
    sessions.close()


def test_a_page_takes_over_whole_folders_and_drops_those_before() -> None:
    sessions = Sessions(Limits())
    session = sessions.new()
    page = session.add("a.png")
    reading, first, second = (session.new_folder() for _ in range(3))
    page.takes_over(reading, reading)
    page.takes_over(reading, first)
    page.takes_over(reading, second)
    assert [folder.is_dir() for folder in (reading, first, second)] == [True, False, True]
    session.remove(page)
    assert list(session.folder.iterdir()) == []
    sessions.close()
