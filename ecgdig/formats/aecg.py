"""HL7 annotated ECG (aECG), XML: https://www.hl7.org/implement/standards/product_brief.cfm?product_id=102

Samples of a lead are scaled whole numbers (SLIST_PQ) over a time sequence; such a list cannot leave one out. So every
stretch without a gap is a sequence set of its own, leads that are known over the same stretch together, the longest
first.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from ecgdig import __version__
from ecgdig.formats.about import About, runs
from ecgdig.io.atomic import whole_file
from ecgdig.io.wfdb import MV_PER_UNIT, RecordError
from ecgdig.recording import Recording, canonical_lead

NAMESPACE = "urn:hl7-org:v3"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_MDC = "2.16.840.1.113883.6.24"  # ISO/IEEE 11073
_ACT_CODE = "2.16.840.1.113883.5.4"  # HL7 ActCode: RHYTHM, TIME_RELATIVE
_CPT = "2.16.840.1.113883.6.12"
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_MOST_BYTES = 300_000_000
_LEAST_FS, _MOST_FS = 10.0, 50_000.0
_MOST_SAMPLES = 60_000_000  # of all leads: nearly three hours of twelve at 500 Hz


def write_aecg(recording: Recording, about: About, path: str | os.PathLike[str]) -> Path:
    """Write one rhythm series, 1 µV a step, with times relative to the page's first sample.

    What `About.pairs` says is the document's `text`, and software and checkpoint are the series' author. Patient, trial
    and date, which the format wants, are given as unknown (nullFlavor). The id depends on what is written alone.
    """
    signal = recording.signal_mv
    seed = hashlib.sha256(signal.tobytes() + "\n".join(about.lines(recording)).encode()).digest()
    root = ET.Element(
        "AnnotatedECG", {"xmlns": NAMESPACE, "xmlns:xsi": _XSI, "type": "Observation", "classCode": "OBS"}
    )
    _add(root, "id", root=str(uuid.UUID(bytes=seed[:16], version=5)))
    _add(root, "code", code="93000", codeSystem=_CPT, codeSystemName="CPT-4")
    _add(root, "text").text = "\n".join(about.lines(recording))
    _add(root, "effectiveTime", nullFlavor="UNK")
    subject = root
    for name in ("componentOf", "timepointEvent", "componentOf", "subjectAssignment"):
        subject = _add(subject, name)
    _add(_add(_add(subject, "subject"), "trialSubject"), "id", nullFlavor="UNK")
    _add(_add(_add(subject, "componentOf"), "clinicalTrial"), "id", nullFlavor="NA")
    series = _add(_add(root, "component"), "series")
    _add(series, "code", code="RHYTHM", codeSystem=_ACT_CODE)
    _add(series, "effectiveTime", nullFlavor="UNK")
    author = _add(_add(series, "author"), "seriesAuthor")
    device = _add(author, "manufacturedSeriesDevice")
    if about.checkpoint is not None:
        _add(device, "manufacturerModelName").text = about.checkpoint[0]
    checkpoint = "" if about.checkpoint is None else f", network with weights of SHA-256 {about.checkpoint[1]}"
    _add(device, "softwareName").text = f"ecgdig {__version__}{checkpoint}"
    _add(_add(author, "manufacturerOrganization"), "name").text = "ecgdig"
    for (first, last), leads in _stretches(recording):
        sequences = _add(_add(series, "component"), "sequenceSet")
        time = _add(_add(sequences, "component"), "sequence")
        _add(time, "code", code="TIME_RELATIVE", codeSystem=_ACT_CODE)
        values = _add(time, "value", **{"xsi:type": "GLIST_PQ"})
        _add(values, "head", value=_number(first / recording.fs), unit="s")
        _add(values, "increment", value=_number(1 / recording.fs), unit="s")
        for lead in leads:
            sequence = _add(_add(sequences, "component"), "sequence")
            _add(sequence, "code", code=f"MDC_ECG_LEAD_{lead.upper()}", codeSystem=_MDC, displayName=lead)
            values = _add(sequence, "value", **{"xsi:type": "SLIST_PQ"})
            _add(values, "origin", value="0", unit="uV")
            _add(values, "scale", value="1", unit="uV")
            steps = np.round(signal[recording.leads.index(lead), first:last].astype(np.float64) * 1000).astype(int)
            _add(values, "digits").text = " ".join(map(str, steps.tolist()))
    with whole_file(path) as file:
        ET.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
    return Path(path)


def read_aecg(path: str | os.PathLike[str]) -> Recording:
    """Read all sequence sets of the first rhythm series on one time axis, in mV; what none of them holds is NaN.

    Raises:
        RecordError: no such document, damaged, no leads, unknown units or rates that differ; one line, with the file.
    """
    file = Path(path)
    try:
        return _recording(_root(file), file.stem.removesuffix(".aecg"))
    except (OSError, ET.ParseError) as error:
        raise RecordError(f"{file}: not readable XML ({' '.join(str(error).split())[:200]}); export it again") from None
    except ValueError as error:
        raise RecordError(f"{file}: {error}") from None


def is_aecg(path: str | os.PathLike[str]) -> bool:
    """Whether the first 4 kB speak of an AnnotatedECG."""
    with Path(path).open("rb") as file:
        return b"AnnotatedECG" in file.read(8192).replace(b"\0", b"")  # may be UTF-16


def _root(file: Path) -> ET.Element:
    """The document without its namespaces.

    Raises:
        ValueError: too large, or with entities, which may expand to more than any memory.
    """
    if file.stat().st_size > _MOST_BYTES:
        raise ValueError(f"larger than {_MOST_BYTES / 1e6:.0f} MB; no ECG is")
    data = file.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = re.sub(r"^<\?xml[^>]*\?>", "", data.decode("utf-16")).encode()
    if b"\0" in data:
        raise ValueError("holds bytes that no text has; export it again, as UTF-8")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ValueError("has a document type or entities, which no annotated ECG needs; export it again")
    root = ET.fromstring(data)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _recording(root: ET.Element, name: str) -> Recording:
    if root.tag != "AnnotatedECG":
        raise ValueError(f"the document is {root.tag[:40]!r}; want an HL7 AnnotatedECG")
    every = root.findall("component/series")
    series = next((s for s in every if _attribute(s, "code", "code") == "RHYTHM"), every[0] if every else None)
    if series is None:
        raise ValueError("holds no series of samples")
    parts = [
        (_time(sequences), lead, samples)
        for sequences in series.findall("component/sequenceSet")
        for lead, samples in _leads(sequences)
    ]
    if not parts:
        raise ValueError("holds no lead with samples")
    rates = sorted({round(time.fs, 6) for time, _, _ in parts})
    if len(rates) > 1:
        raise ValueError(f"rates of {', '.join(f'{fs:g}' for fs in rates)} Hz in one series; want one")
    fs, start = rates[0], min(0.0 if time.relative else time.head_s for time, _, _ in parts)
    places = [round((time.head_s - start) * fs) for time, _, _ in parts]
    n = max(first + samples.size for first, (_, _, samples) in zip(places, parts, strict=True))
    leads = tuple(dict.fromkeys(lead for _, lead, _ in parts))
    if min(places) < 0 or n * len(leads) > _MOST_SAMPLES:
        raise ValueError(f"samples from {min(places) / fs:g} to {n / fs:g} s; want those of one page")
    signal = np.full((len(leads), n), np.nan, np.float32)
    for first, (_, lead, samples) in zip(places, parts, strict=True):
        signal[leads.index(lead), first : first + samples.size] = samples
    return Recording(leads, fs, signal, name=name)


@dataclass(frozen=True)
class _Time:
    """Rate in Hz, and the time of the first sample in s: from the page's start (`relative`), or of the day."""

    fs: float
    head_s: float
    relative: bool


def _time(sequences: ET.Element) -> _Time:
    for sequence in sequences.findall("component/sequence"):
        if _attribute(sequence, "code", "code").startswith("TIME_"):
            unit = _attribute(sequence, "value/increment", "unit")
            step = _float(_attribute(sequence, "value/increment", "value"), "time increment")
            if unit not in _SECONDS or not step > 0:
                raise ValueError(f"time increment of {step:g} {unit or 'no unit'}; want a positive number of s or ms")
            fs = 1 / (step * _SECONDS[unit])
            if not _LEAST_FS <= fs <= _MOST_FS:
                raise ValueError(f"sampling rate of {fs:g} Hz; want {_LEAST_FS:g} to {_MOST_FS:g}")
            relative = _attribute(sequence, "code", "code") == "TIME_RELATIVE"
            return _Time(fs if abs(fs - round(fs)) > 1e-4 else float(round(fs)), _head(sequence), relative)
    raise ValueError("a sequence set without a time sequence; want TIME_ABSOLUTE or TIME_RELATIVE")


def _head(sequence: ET.Element) -> float:
    text, unit = _attribute(sequence, "value/head", "value"), _attribute(sequence, "value/head", "unit")
    if unit in _SECONDS:
        return _float(text, "time of the first sample") * _SECONDS[unit]
    clock = re.match(r"\d{8}(\d{2})(\d{2})(\d{2}(?:\.\d+)?)", text)
    return sum(float(part) * s for part, s in zip(clock.groups(), (3600, 60, 1), strict=True)) if clock else 0.0


def _leads(sequences: ET.Element) -> Iterator[tuple[str, np.ndarray[tuple[int], np.dtype[np.float64]]]]:
    for sequence in sequences.findall("component/sequence"):
        code = _attribute(sequence, "code", "code")
        if "_ECG_LEAD_" not in code:
            continue
        lead = canonical_lead(code.partition("_ECG_LEAD_")[2])
        values = []
        for part in ("origin", "scale"):
            unit = _attribute(sequence, f"value/{part}", "unit")
            if unit.lower() not in MV_PER_UNIT:
                raise ValueError(f"lead {lead}: {part} in {unit or 'no unit'!r}; want one of V, mV, uV, nV")
            number = _float(_attribute(sequence, f"value/{part}", "value"), f"lead {lead}: {part}")
            values.append(number * MV_PER_UNIT[unit.lower()])
        digits = (sequence.findtext("value/digits") or "").split()
        if not digits:
            raise ValueError(f"lead {lead} has no digits; export it again")
        try:
            yield lead, values[0] + values[1] * np.array(digits, np.float64)
        except ValueError as error:
            raise ValueError(f"lead {lead}: {error}; want whole numbers") from None


def _stretches(recording: Recording) -> list[tuple[tuple[int, int], list[str]]]:
    """Every stretch of samples without a gap, with the leads that have just this one; the longest first."""
    found: dict[tuple[int, int], list[str]] = {}
    for lead, samples in zip(recording.leads, recording.signal_mv, strict=True):
        for stretch in runs(np.isfinite(samples)):
            found.setdefault(stretch, []).append(lead)
    if not found:
        raise RecordError(f"recording {recording.name!r} holds no known sample; nothing can be written as aECG")
    return sorted(found.items(), key=lambda item: (item[0][0] - item[0][1], item[0][0]))


def _add(parent: ET.Element, name: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, name, attributes)


def _number(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _attribute(element: ET.Element, path: str, name: str) -> str:
    found = element.find(path)
    return "" if found is None else found.get(name, "")


def _float(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{what} is {text[:40]!r}; want a number")
    return value
