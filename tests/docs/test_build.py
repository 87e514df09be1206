from __future__ import annotations

import re
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config

from ecgdig.hub import available

ROOT = Path(__file__).parents[2]
_LOADED = re.compile(r"""<(?:script|img|link)\b[^>]*\b(?:src|href)=["']?(https?:[^"' >]+)""")


def test_the_documentation_builds_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    build(load_config(str(ROOT / "mkdocs.yml"), strict=True, site_dir=str(tmp_path)))
    pages = {str(page.relative_to(tmp_path)): page.read_text() for page in tmp_path.rglob("*.html")}
    assert {"index.html", "start.html", "cards.html", "log.html", "gallery/index.html"} <= set(pages)
    for name in ("digitize", "Digitization", "Recording"):
        assert f'id="ecgdig.{name}"' in pages["reference/reading.html"]
    for name in available():
        assert f">{name}<" in pages["cards.html"]
    assert {address for page in pages.values() for address in _LOADED.findall(page)} == set()


def test_every_page_is_in_the_contents() -> None:
    listed = (ROOT / "mkdocs.yml").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        assert str(page.relative_to(ROOT / "docs")) in listed
