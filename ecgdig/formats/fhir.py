"""FHIR R4 Observation, JSON: a component of SampledData for each lead.

Format: https://hl7.org/fhir/R4/observation.html and https://hl7.org/fhir/R4/datatypes.html#SampledData
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from ecgdig import __version__
from ecgdig.formats.about import About
from ecgdig.formats.dicom import MDC_CODES
from ecgdig.io.atomic import whole_file
from ecgdig.recording import FloatArray, Recording

_LOINC, _MDC = "http://loinc.org", "urn:oid:2.16.840.1.113883.6.24"
_UCUM = "http://unitsofmeasure.org"
_POTENTIAL = 131328  # MDC_ECG_ELEC_POTL; that of a lead is this plus the lead's code
_ERROR = "E"  # of SampledData: no valid value


def write_fhir(recording: Recording, about: About, path: str | os.PathLike[str]) -> Path:
    """Write one Observation of status `preliminary` (nobody has looked at it), µV steps of `mV` samples.

    What is not known is `E`; a lead of which nothing is known has a data-absent reason instead of data. What
    `About.pairs` says is in notes, one each. Patient and time, which are not known, are left out.
    """
    device = f"ecgdig {__version__}"
    if about.checkpoint is not None:
        device += f", network {about.checkpoint[0]}, SHA-256 {about.checkpoint[1]}"
    leads = zip(recording.leads, recording.signal_mv, strict=True)
    observation = {
        "resourceType": "Observation",
        "status": "preliminary",
        "category": [_concept("http://terminology.hl7.org/CodeSystem/observation-category", "procedure", "Procedure")],
        "code": {
            "coding": [
                {"system": _LOINC, "code": "11524-6", "display": "EKG study"},
                {"system": _MDC, "code": str(_POTENTIAL), "display": "MDC_ECG_ELEC_POTL"},
            ],
            "text": "12-lead ECG" if len(recording.leads) == 12 else "ECG",
        },
        "method": {"text": about.source or "not known"},
        "device": {"display": device},
        "note": [{"text": line} for line in about.lines(recording)],
        "component": [_component(lead, samples, recording.fs) for lead, samples in leads],
    }
    with whole_file(path) as file:
        file.write_text(json.dumps(observation, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return Path(path)


def _component(lead: str, samples: FloatArray, fs: float) -> dict[str, Any]:
    code: dict[str, Any] = {"text": lead}
    if lead in MDC_CODES:
        display = f"MDC_ECG_ELEC_POTL_{lead.upper()}"
        code["coding"] = [{"system": _MDC, "code": str(_POTENTIAL + MDC_CODES[lead]), "display": display}]
    known = np.isfinite(samples)
    if not known.any():
        absent = _concept("http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown", "Unknown")
        return {"code": code, "dataAbsentReason": {**absent, "text": "not printed or not readable"}}
    steps = np.round(np.where(known, samples, 0).astype(np.float64) * 1000).astype(int)
    data = " ".join(str(step) if there else _ERROR for step, there in zip(steps.tolist(), known.tolist(), strict=True))
    return {
        "code": code,
        "valueSampledData": {
            "origin": {"value": 0, "unit": "mV", "system": _UCUM, "code": "mV"},
            "period": round(1000 / fs, 9),  # ms
            "factor": 0.001,
            "dimensions": 1,
            "data": data,
        },
    }


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}
