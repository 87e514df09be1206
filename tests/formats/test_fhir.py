from __future__ import annotations

from pathlib import Path

import numpy as np
from fhir.resources.R4B.observation import Observation
from format_pages import SHA, SOURCE

from ecgdig.formats import About
from ecgdig.formats.fhir import write_fhir
from ecgdig.recording import Recording


def _samples(component: object, n: int) -> np.ndarray:  # type: ignore[type-arg]
    data = component.valueSampledData  # type: ignore[attr-defined]
    if data is None:
        return np.full(n, np.nan)
    numbers = [np.nan if word == "E" else float(word) for word in data.data.split()]
    return float(data.origin.value) + float(data.factor) * np.array(numbers)


def test_a_model_of_the_standard_finds_the_same_samples(page: tuple[Recording, About], tmp_path: Path) -> None:
    recording, about = page
    text = write_fhir(recording, about, tmp_path / "a.fhir.json").read_text()
    observation = Observation.model_validate_json(text)
    assert {coding.code for coding in observation.code.coding} == {"11524-6", "131328"}
    for component, lead, samples in zip(observation.component, recording.leads, recording.signal_mv, strict=True):
        assert component.code.text == lead
        if lead == "V3":
            assert component.dataAbsentReason.coding[0].code == "unknown"
        else:
            assert float(component.valueSampledData.period) == 2
            assert component.valueSampledData.origin.code == "mV"
        np.testing.assert_allclose(_samples(component, recording.n_samples), samples, atol=6e-4)


def test_leads_have_their_codes(page: tuple[Recording, About], tmp_path: Path) -> None:
    observation = Observation.model_validate_json(write_fhir(*page, tmp_path / "a.json").read_text())
    codes = {c.code.text: c.code.coding[0].code for c in observation.component}
    # as in the standard's own example of an ECG observation
    assert (codes["I"], codes["II"], codes["III"]) == ("131329", "131330", "131389")


def test_provenance_is_in_notes_and_device(page: tuple[Recording, About], tmp_path: Path) -> None:
    observation = Observation.model_validate_json(write_fhir(*page, tmp_path / "a.json").read_text())
    notes = [note.text for note in observation.note]
    assert f"source: {SOURCE}" in notes
    assert "sampling rate: 500 Hz" in notes
    assert any("not printed: I, III" in note for note in notes)
    assert SHA in observation.device.display
    assert observation.status == "preliminary"
