from __future__ import annotations

import numpy as np
import pytest

from ecgdig.sources.rhythm import Rhythm, RhythmKind, beat_times, sample_rhythm


def beats(seed: int = 0, **changes: object):  # type: ignore[no-untyped-def]
    return beat_times(Rhythm(**changes), np.random.default_rng(seed), 60.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", list(RhythmKind))
@pytest.mark.parametrize("rate_bpm", [45.0, 75.0, 150.0])
def test_every_rhythm_fills_the_recording_in_order(kind: RhythmKind, rate_bpm: float) -> None:
    found = beats(kind=kind, rate_bpm=rate_bpm)
    assert (np.diff(found.r_s) > 0.1).all()
    assert found.r_s[0] < 1.5
    assert found.r_s[-1] > 58
    assert found.ectopic.shape == found.r_s.shape
    assert found.rr_s().shape == found.r_s.shape
    if kind not in (RhythmKind.WENCKEBACH, RhythmKind.MOBITZ_II, RhythmKind.COMPLETE_BLOCK, RhythmKind.ATRIAL_FLUTTER):
        assert 60 / np.diff(found.r_s).mean() == pytest.approx(rate_bpm, rel=0.12)


def test_sinus_beats_follow_their_p() -> None:
    found = beats(pr_s=0.2)
    np.testing.assert_allclose(found.r_s - found.p_s, 0.2)


def test_fibrillation_is_irregular_and_has_no_p() -> None:
    found = beats(kind=RhythmKind.ATRIAL_FIBRILLATION, rate_bpm=80.0, irregularity=0.25)
    intervals = np.diff(found.r_s)
    assert 0.15 < intervals.std() / intervals.mean() < 0.35
    assert intervals.min() >= 0.28
    assert len(found.p_s) == 0


def test_wenckebach_prolongs_pr_until_a_beat_is_dropped() -> None:
    found = beats(kind=RhythmKind.WENCKEBACH, block=4, pr_s=0.16, hf=0.0, lf=0.0, irregularity=0.0)
    pr = np.array([r - found.p_s[found.p_s < r].max() for r in found.r_s])
    assert set(np.round(pr, 2)) == {0.16, 0.21, 0.26}
    assert len(found.r_s) / len(found.p_s) == pytest.approx(0.75, abs=0.03)


def test_bigeminy_alternates_and_pauses() -> None:
    found = beats(pvc_every=1, hf=0.0, lf=0.0, irregularity=0.0, rate_bpm=60.0)
    assert (found.ectopic[1::2] != found.ectopic[::2][: len(found.ectopic[1::2])]).all()
    np.testing.assert_allclose(np.diff(found.r_s[~found.ectopic]), 2.0)  # a full compensatory pause
    assert len(found.p_s) == (~found.ectopic).sum()


def test_complete_block_beats_apart_from_the_atria() -> None:
    found = beats(kind=RhythmKind.COMPLETE_BLOCK, rate_bpm=80.0)
    assert len(found.p_s) > 1.6 * len(found.r_s)


def test_sampled_rhythms_cover_every_kind() -> None:
    rng = np.random.default_rng(0)
    sampled = [sample_rhythm(rng) for _ in range(600)]
    assert {rhythm.kind for rhythm in sampled} == set(RhythmKind)
    assert all(40 <= rhythm.rate_bpm <= 190 for rhythm in sampled)
    sinus = [rhythm for rhythm in sampled if rhythm.kind is RhythmKind.SINUS]
    assert all(rhythm.pr_s < 0.6 * 60 / rhythm.rate_bpm for rhythm in sinus)
