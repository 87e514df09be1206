from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from small_pages import small_plan

from ecgdig.dataset import Folder, build, load


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Four simulated photos at 60 dpi."""
    path = tmp_path_factory.mktemp("dataset") / "pages"
    report = build(small_plan(), path, workers=0)
    assert report.failures == []
    return load(path)


@pytest.fixture(scope="session")
def content() -> Callable[[Path], dict[str, bytes]]:
    """What a folder holds: relative path -> bytes."""

    def read(path: Path) -> dict[str, bytes]:
        return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}

    return read
