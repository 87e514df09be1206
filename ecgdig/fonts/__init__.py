"""Open-licence fonts that ship with the package; `README.md` beside this file lists authors, licences and sources."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent

HANDS = (  # handwriting
    "ArchitectsDaughter",
    "Caveat",
    "CedarvilleCursive",
    "CoveredByYourGrace",
    "HomemadeApple",
    "IndieFlower",
    "Kristi",
    "PatrickHand",
    "ReenieBeanie",
    "ShadowsIntoLight",
    "Zeyada",
)
PRINTS = (  # what ECG carts, their printers and offices write with
    "Arimo-Regular",  # sans, the widths of Arial
    "B612-Regular",  # sans of displays
    "B612Mono-Regular",
    "CourierPrime",
    "CourierPrime-Bold",
    "GNUTypewriter",  # worn type
    "NotoMono-Regular",
    "OSP-DIN",  # narrow sans
    "ProggyTiny",  # a bitmap terminal
    "RobotoCondensed",
    "ShareTech-Regular",
    "SpecialElite",  # worn type
    "VT323",  # dot matrix and terminals
)


def font_file(name: str) -> Path:
    """The file of one of `HANDS` or `PRINTS`.

    Raises:
        ValueError: no such font.
    """
    for folder, names in (("hand", HANDS), ("print", PRINTS)):
        if name in names:
            ttf = _FOLDER / folder / f"{name}.ttf"
            return ttf if ttf.is_file() else ttf.with_suffix(".otf")
    raise ValueError(f"no font {name!r}; use {', '.join(HANDS + PRINTS)}")


__all__ = ["HANDS", "PRINTS", "font_file"]
