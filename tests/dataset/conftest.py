from __future__ import annotations

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
