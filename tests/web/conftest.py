from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from PIL import Image
from web_visitor import Running, running

from ecgdig.drawing import render
from ecgdig.page import PLAIN, Page
from ecgdig.recording import Recording


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """A server with the released checkpoint and one worker."""
    from ecgdig.web.app import Settings
    from ecgdig.web.limits import Limits

    yield from running(Settings(limits=Limits(upload_mb=20, pages=12)))


@pytest.fixture(scope="session")
def drawn(recording: Recording) -> Page:
    """A small clean page with a header."""
    return render(recording, "clean", 7, layout="3x4", paper="a5", dpi=120, style=PLAIN)


@pytest.fixture(scope="session")
def photo(drawn: Page, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as JPEG with EXIF that says where and by what it was taken."""
    file = tmp_path_factory.mktemp("web") / "ward 3 <b>.jpg"
    exif = Image.Exif()
    exif[0x010F], exif[0x9286] = "SECRETCAM", "SECRETNAME"
    picture = Image.fromarray(cv2.cvtColor(drawn.image, cv2.COLOR_RGB2BGR)[..., ::-1])
    picture.save(file, quality=95, exif=exif)
    return file
