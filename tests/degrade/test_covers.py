from __future__ import annotations

import cv2
import numpy as np
import pytest

from ecgdig.degrade.covers import redaction, staple, sticker, tape
from ecgdig.degrade.cuts import finger, holes, torn
from ecgdig.degrade.geometry import resample
from ecgdig.page import Page


@pytest.mark.parametrize("mark", [redaction, sticker, staple])
def test_what_is_opaque_is_hidden_just_where_it_was_painted(mark, blank: Page) -> None:
    y, x = np.mgrid[0 : blank.shape[0], 0 : blank.shape[1]]
    mm = blank.warp.to_mm(np.stack([x, y], -1).reshape(-1, 2).astype(float)).reshape(*blank.shape, 2)
    painted = hidden = both = 0.0
    for seed in range(8):
        page = mark(blank, 1.0, np.random.default_rng(seed))
        if page.cover is None:
            continue
        dark = page.image.min(-1) < (100 if mark is redaction else 253)
        covered = page.hides(mm)
        painted, hidden, both = painted + dark.sum(), hidden + covered.sum(), both + (dark & covered).sum()
    assert hidden > 0
    assert both > 0.5 * hidden  # labels have white paper, bars may be white
    if mark is redaction:
        assert both > 0.97 * painted


def test_clear_tape_hides_nothing_and_paper_tape_does(blank: Page) -> None:
    pages = [tape(blank, 1.0, np.random.default_rng(seed)) for seed in range(40)]
    hiding = [page for page in pages if page.cover is not None]
    assert 0 < len(hiding) < 25
    clear = [page for page in pages if page.cover is None]
    assert all(page.image.min() > 60 for page in clear)


@pytest.mark.parametrize("cut", [holes, torn])
def test_through_a_hole_the_desk_is_seen(cut, flat_page: Page) -> None:
    desk = np.full((8, 8, 3), (90, 60, 30), np.uint8)
    y, x = np.mgrid[0 : flat_page.shape[0] : 2, 0 : flat_page.shape[1] : 2]
    mm = flat_page.warp.to_mm(np.stack([x, y], -1).reshape(-1, 2).astype(float)).reshape(*x.shape, 2)
    shown = 0
    for seed in range(6):
        page = cut(flat_page, desk, 1.0, np.random.default_rng(seed))
        wooden = (np.abs(page.image[::2, ::2].astype(int) - (90, 60, 30)).max(-1) < 3) & (mm > 0).all(-1)
        assert page.hides(mm)[wooden].mean() > 0.95
        shown += wooden.sum()
    assert shown > 500


def test_a_finger_hides_the_edge_it_comes_from(flat_page: Page) -> None:
    page = finger(flat_page, None, 1.0, np.random.default_rng(1))
    changed = (page.image != flat_page.image).any(-1)
    edge = np.concatenate([changed[0], changed[-1], changed[:, 0], changed[:, -1]])
    assert edge.any()
    y, x = np.nonzero(changed)
    hidden = page.hides(page.warp.to_mm(np.stack([x, y], 1).astype(float)))
    assert 0.2 < hidden.mean() < 1  # the rest is its shadow


def test_the_desk_in_a_tear_is_the_desk_around(flat_page: Page) -> None:
    desk = np.random.default_rng(0).integers(0, 200, (16, 16, 3)).astype(np.uint8)
    wide = resample(flat_page, [], 5.0, 8.0, desk)
    whole = cv2.resize(desk, wide.shape[::-1], interpolation=cv2.INTER_LINEAR)
    y, x = np.mgrid[0 : wide.shape[0] : 3, 0 : wide.shape[1] : 3]
    mm = wide.warp.to_mm(np.stack([x, y], -1).reshape(-1, 2).astype(float))
    for seed in range(4):
        page = torn(wide, desk, 1.0, np.random.default_rng(seed))
        gone = page.hides(mm - 0.7) & page.hides(mm + 0.7) & (mm > 1).all(-1)
        here = np.abs(page.image[::3, ::3].astype(int) - whole[::3, ::3]).max(-1).ravel()[gone]
        assert (here <= 2).mean() > 0.97
