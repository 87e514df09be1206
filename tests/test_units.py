from __future__ import annotations

import pytest

from ecgdig import units


def test_resolutions_convert_both_ways() -> None:
    assert units.px_per_mm(254) == pytest.approx(10)
    assert units.dpi(units.px_per_mm(200)) == pytest.approx(200)


def test_a_small_square_is_40_ms_and_a_tenth_of_a_millivolt() -> None:
    assert pytest.approx(0.04) == units.SMALL_SQUARE_S
    assert pytest.approx(0.1) == units.SMALL_SQUARE_MV


def test_twelve_leads() -> None:
    assert len(set(units.LEADS)) == 12
    assert {lead.lstrip("-") for lead in units.CABRERA_LIMB_LEADS} == set(units.LIMB_LEADS)
