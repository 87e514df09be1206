"""What a request asks for, checked: pages of its session, samples of the gallery, options of a reading."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request

from ecgdig.api import check_scale
from ecgdig.corrections import EditError, edits_of
from ecgdig.locate.naming import parse_leads
from ecgdig.locate.plans import KNOWN_LAYOUTS
from ecgdig.web.guard import RefusedError
from ecgdig.web.samples import GALLERY
from ecgdig.web.sessions import PageHeld, Session

MOST_EDITS = 200
_OPTIONS = ("layout", "speed", "gain", "chest_gain", "leads")
LAYOUTS = sorted({name for plans in KNOWN_LAYOUTS.values() for name in plans})


def shown(page: PageHeld) -> Path:
    """The folder with what is shown of a page.

    Raises:
        RefusedError: it has not been read, or could not be.
    """
    if page.shown is not None:
        return page.shown
    if page.job is not None and page.job.state == "failed":
        raise RefusedError(page.job.fault, page.job.error)
    raise RefusedError(409, "this page has not been read yet")


def wanted(session: Session, keys: str | None) -> list[PageHeld]:
    """The pages named, apart by commas, or without a name all that have been read.

    Raises:
        RefusedError: one of them is not there or has not been read, or there is none.
    """
    if keys is None:
        pages = [page for page in session.pages.values() if page.shown is not None]
        if not pages:
            raise RefusedError(404, "no page has been read; wait until one is")
        return pages
    unknown = [key for key in keys.split(",") if key not in session.pages]
    if unknown:
        raise RefusedError(404, f"no page {unknown[0][:40]!r} in this session")
    pages = [session.pages[key] for key in dict.fromkeys(keys.split(","))]
    for page in pages:
        shown(page)
    return pages


def free_name(name: str, taken: set[str]) -> str:
    """The name, or one like it that is not taken yet, whatever the case of its letters."""
    free, n = name, 2
    while free.lower() in taken:
        free, n = f"{name}-{n}", n + 1
    taken.add(free.lower())
    return free


def found(request: Request, session: Session) -> PageHeld:
    page = session.pages.get(request.path_params["page"])
    if page is None:
        raise RefusedError(404, "no such page in this session")
    return page


def sample_number(request: Request) -> int:
    number = int(request.path_params["number"])
    if number >= len(GALLERY):
        raise RefusedError(404, f"the gallery has pages 0 to {len(GALLERY) - 1}")
    return number


def edits(given: Mapping[str, Any]) -> list[Any]:
    """The list of edits that is given, each looked at.

    Raises:
        EditError: too many, or one that is none.
    """
    value = given.get("edits")
    n = len(edits_of(value))
    if n > MOST_EDITS:
        raise EditError(f"{n} edits; want {MOST_EDITS} at most")
    assert isinstance(value, list)
    return value


def options(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the user knows of a page, checked.

    Raises:
        ValueError: an unknown option or value.
    """
    unknown = set(given) - set(_OPTIONS)
    if unknown:
        raise ValueError(f"unknown option {', '.join(sorted(unknown))[:60]!r}; want {', '.join(_OPTIONS)}")
    known = {key: value for key, value in given.items() if value not in (None, "")}
    if "layout" in known and known["layout"] not in LAYOUTS:
        raise ValueError(f"unknown layout {str(known['layout'])[:40]!r}; use one of {', '.join(LAYOUTS)}")
    for key in ("speed", "gain", "chest_gain"):
        if key in known and (isinstance(known[key], bool) or not isinstance(known[key], (int, float))):
            raise ValueError(f"{key} {str(known[key])[:40]!r}; want a number")
    check_scale(known.get("speed"), known.get("gain"), known.get("chest_gain"))
    if "leads" in known:
        parse_leads(str(known["leads"]))
        known["leads"] = str(known["leads"])
    return known
