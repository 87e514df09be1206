"""Pages of one invented patient, for tests of what is read from them."""

from dataclasses import replace

import numpy as np

from ecgdig.page import PLAIN, Placement, arrange, lead_plan, render
from ecgdig.page.layout import Paper
from ecgdig.recording import Recording
from ecgdig.units import LEADS

PAPER = Paper(279.4, 190.0)


def patient(seed=0, fs=250.0, seconds=10.0):
    """Twelve leads with beats of differing size and sign, and a slow wave each."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * fs)) / fs
    leads = []
    for _ in LEADS:
        r, s, wave = rng.uniform(0.3, 1.1), rng.uniform(-0.7, -0.1), rng.uniform(-0.15, 0.35)
        lead = 0.04 * np.sin(2 * np.pi * (0.25 * t + rng.random())) + 0.008 * rng.standard_normal(len(t))
        for beat in np.arange(0.4, seconds + 1, 0.81):
            lead += r * np.exp(-(((t - beat) / 0.013) ** 2)) + s * np.exp(-(((t - beat - 0.035) / 0.013) ** 2))
            lead += wave * np.exp(-(((t - beat - 0.26) / 0.06) ** 2))
        leads.append(lead)
    return Recording(LEADS, fs, np.array(leads, np.float32))


def page_of(
    plan,
    *,
    rhythm=None,
    dpi=130,
    gain=10.0,
    chest_gain=None,
    speed=25.0,
    paper=PAPER,
    row_mm=None,
    sequential=True,
    pulse="left",
    names="above-start",
    footer=False,
    recording=None,
):
    """A page of this patient, or of a recording, in `PLAIN` but for pulses, lead names and footer."""
    plan = lead_plan(plan, rhythm) if isinstance(plan, str) else plan
    step = row_mm or min(32.0, (paper.height_mm - 40) / plan.n_rows)
    sheet = Placement(19.0, 8.0, 32.0, step, sequential)
    layout = arrange(
        plan,
        paper,
        sheet,
        duration_s=10.0,
        speed_mm_per_s=speed,
        gain_mm_per_mv=gain,
        chest_gain_mm_per_mv=chest_gain,
    )
    style = replace(
        PLAIN,
        furniture=replace(PLAIN.furniture, pulse=pulse, footer=footer),
        lettering=replace(PLAIN.lettering, place=names),
    )
    return render(recording or patient(), layout, style, dpi, np.random.default_rng(0))
