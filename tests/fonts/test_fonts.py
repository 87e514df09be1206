from __future__ import annotations

import pytest
from PIL import ImageFont

from ecgdig.fonts import HANDS, PRINTS, font_file


@pytest.mark.parametrize("name", HANDS + PRINTS)
def test_each_font_opens_has_its_licence_and_the_letters_that_are_written(name: str) -> None:
    face = ImageFont.truetype(str(font_file(name)), 40)
    missing = face.getmask("\uffff").getbbox()
    for letter in "ABCXYZabcxyz0123456789.,-/":
        assert face.getmask(letter).getbbox() is not None
    assert face.getmask("W").getbbox() != missing
    family = name.partition("-")[0].replace("Mono", "") if name.startswith(("B612", "CourierPrime")) else name
    text = (font_file(name).parent.parent / "licences" / f"{family}.txt").read_text(encoding="utf-8")
    assert "opyright" in text[:200]
    assert any(
        licence in text for licence in ("SIL OPEN FONT LICENSE", "Apache License", "Permission is hereby granted")
    )


def test_an_unknown_font_is_named() -> None:
    with pytest.raises(ValueError, match=r"no font 'Comic'; use ArchitectsDaughter, .*VT323"):
        font_file("Comic")
