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
    with pytest.raises(FullError):
        sessions.new()
    page = session.add("a")
    (page.folder / "upload").write_bytes(bytes(1_100_000))
    with pytest.raises(FullError, match="1 MB"):
        session.add("b")
    session.remove(page)
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
