"""Fields of a style as words of a command line: `grid.kind=none`, `qr=true`, `paper_rgb=255,250,240`."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ecgdig.page.looks import Style
from ecgdig.page.text import FONTS

PARTS = ("grid", "ink", "lettering", "furniture")


def style_changes(words: Sequence[str]) -> dict[str, Any]:
    """What `drawing.changed` takes, from words `field=value` or `part.field=value`.

    Raises:
        ValueError: no such field, one that several parts have, or a value that it cannot have.
    """
    changes: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ValueError(f"{word!r} is no style; write field=value, such as pulse=left or grid.kind=dots")
        part, _, field = name.rpartition(".")
        fields = {p: get_type_hints(get_type_hints(Style)[p]) for p in PARTS}
        if name == "paper_rgb":
            changes[name] = _value(name, get_type_hints(Style)[name], text)
            continue
        found = [p for p in PARTS if field in fields[p] and part in ("", p)]
        if len(found) != 1:
            there = "; ".join(f"{p}: {', '.join(fields[p])}" for p in PARTS)
            why = f"is in {' and '.join(found)}: name its part" if found else "does not exist"
            raise ValueError(f"style field {name!r} {why}; there are paper_rgb; {there}")
        changes.setdefault(found[0], {})[field] = _value(name, fields[found[0]][field], text)
    return changes


def _value(name: str, kind: Any, text: str) -> Any:
    if name.rpartition(".")[2] in {"font", "numeral_font"} and text not in ("", *FONTS):
        raise ValueError(f"style {name}={text}; want one of {', '.join(FONTS)}")
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(k for k in get_args(kind) if k is not type(None))
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        if get_origin(kind) is Literal:
            return {str(one): one for one in get_args(kind)}[text]
        if get_origin(kind) is tuple:
            return tuple(one(part) for one, part in zip(get_args(kind), text.split(","), strict=True))
        return kind(text)
    except (KeyError, ValueError):
        want = {bool: "true or false", float: "a number", int: "a whole number"}.get(kind, "")
        if get_origin(kind) is Literal:
            want = ", ".join(map(str, get_args(kind)))
        if get_origin(kind) is tuple:
            want = f"{len(get_args(kind))} numbers with commas between them"
        raise ValueError(f"style {name}={text}; want {want}") from None
