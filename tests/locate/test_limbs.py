import numpy as np
import pytest

from ecgdig.locate.limbs import IN_I_AND_II, misfit_of

RNG = np.random.default_rng(0)
I_AND_II = RNG.standard_normal((2, 400))


def traces(leads):
    return np.array([IN_I_AND_II[lead] for lead in leads]) @ I_AND_II


@pytest.mark.parametrize(
    "leads", [("I", "II", "III"), ("aVR", "aVL", "aVF"), ("aVL", "I", "-aVR"), ("I", "II", "III", "aVR", "aVL", "aVF")]
)
def test_leads_of_one_heart_obey_their_laws(leads):
    assert misfit_of(leads, traces(leads) + 3.0) == pytest.approx(0.0, abs=1e-9)  # a zero line is arbitrary


def test_other_names_break_them():
    assert misfit_of(("aVR", "aVL", "aVF"), traces(("II", "aVF", "III"))) > 1.0
    assert misfit_of(("I", "II", "III"), RNG.standard_normal((3, 400))) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("leads, n", [(("I", "II"), 400), (("I", "II", "III"), 20)])
def test_too_little_gives_no_answer(leads, n):
    assert np.isnan(misfit_of(leads, traces(leads)[:, :n]))
