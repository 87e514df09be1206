"""What a header says about a recording: its metadata where there is any, else invented people and measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecgdig.recording import Recording

Rng = np.random.Generator

_FAMILY = (
    "Abara Berg Costa Dlamini Eriksen Fontaine Garcia Haddad Ivanova Jansen Kowalski Lindt Moreau Nakata Okoye Pires"
)
_GIVEN = "A. B. Carla David Elena F. Gita Hugo Ines J. Karin Luis M. Nora Omar P. Ruth S. Tomas U. Vera W."
_PLACES = (
    "General Hospital", "University Hospital", "Cardiology Department", "Heart Centre", "Community Clinic",
    "Emergency Department", "Hospital San Rafael", "Clinique du Parc", "Klinikum Mitte", "Family Practice",
)  # fmt: skip
_STATEMENTS = (
    "Sinus rhythm", "Normal sinus rhythm", "Sinus bradycardia", "Sinus tachycardia", "Atrial fibrillation",
    "First degree AV block", "Left axis deviation", "Right bundle branch block", "Left bundle branch block",
    "Left ventricular hypertrophy", "Nonspecific T wave abnormality", "ST elevation, consider early repolarization",
    "Poor R wave progression", "Premature ventricular complexes", "Low voltage QRS", "Borderline ECG", "Normal ECG",
    "Abnormal ECG", "Otherwise normal ECG", "Possible left atrial enlargement", "Prolonged QT interval",
)  # fmt: skip
_ENDS = ("Unconfirmed", "Unconfirmed diagnosis", "Confirmed by", "Referred by:", "Reviewed by")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_KEYS = {
    "number": ("id", "patient_id", "patient id"),
    "name": ("name", "patient_name", "patient name"),
    "age": ("age",),
    "sex": ("sex", "gender"),
    "date": ("date", "recording_date", "recording date"),
    "height": ("height", "height_cm"),
    "weight": ("weight", "weight_kg"),
}


@dataclass(frozen=True)
class Facts:
    """Words and numbers of a header; intervals in ms, axes in degrees."""

    number: str
    name: str
    age: str
    sex: str
    date: str
    time: str
    height_cm: int
    weight_kg: int
    rate: int
    pr: int
    qrs: int
    qt: int
    qtc: int
    axes: tuple[int, int, int]
    institution: str
    statements: tuple[str, ...]


def one_of(rng: Rng, words: Sequence[str]) -> str:
    return words[int(rng.integers(len(words)))]


def facts_of(recording: Recording, rng: Rng) -> Facts:
    """Number, name, age, sex, date, height (cm) and weight (kg) are the recording's own, from its metadata (WFDB
    comments); what it does not say is invented."""
    known = {key.lower(): value for key, value in recording.metadata.items()}

    def given(name: str, otherwise: str) -> str:
        return next((known[key][:24] for key in _KEYS[name] if known.get(key)), otherwise)

    year, month, day = int(rng.integers(1985, 2026)), int(rng.integers(1, 13)), int(rng.integers(1, 29))
    dates = (
        f"{year}-{month:02d}-{day:02d}",
        f"{day:02d}.{month:02d}.{year}",
        f"{month:02d}/{day:02d}/{year}",
        f"{day:02d}-{_MONTHS[month - 1]}-{year}",
    )
    rate = int(rng.integers(45, 140))
    qt = int(rng.integers(320, 460))
    n = int(rng.integers(1, 5))
    said = [_STATEMENTS[int(i)] for i in rng.choice(len(_STATEMENTS), n, replace=False)]
    return Facts(
        number=given("number", str(rng.integers(10**4, 10**8))),
        name=given("name", f"{one_of(rng, _FAMILY.split())}, {one_of(rng, _GIVEN.split())}"),
        age=given("age", str(rng.integers(1, 98))),
        sex=given("sex", one_of(rng, ["Male", "Female", "M", "F"])),
        date=given("date", one_of(rng, dates)),
        time=f"{rng.integers(24):02d}:{rng.integers(60):02d}:{rng.integers(60):02d}",
        height_cm=_whole(given("height", ""), int(rng.integers(148, 199))),
        weight_kg=_whole(given("weight", ""), int(rng.integers(45, 120))),
        rate=rate,
        pr=int(rng.integers(110, 240)),
        qrs=int(rng.integers(70, 160)),
        qt=qt,
        qtc=round(qt * (rate / 60) ** 0.5),  # Bazett
        axes=(int(rng.integers(0, 80)), int(rng.integers(-60, 110)), int(rng.integers(-20, 90))),
        institution=one_of(rng, _PLACES),
        statements=(*said, one_of(rng, _ENDS)),
    )


def _whole(text: str, otherwise: int) -> int:
    """The number that `text` begins with, rounded; `otherwise` where it is none."""
    try:
        return round(float(text.split()[0]))
    except (IndexError, ValueError, OverflowError):
        return otherwise
