"""EDF+ files (https://www.edfplus.info/specs/edfplus.html): 16-bit samples, gaps stated as annotations."""

from __future__ import annotations

import math
import os
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ecgdig.formats.about import About
from ecgdig.formats.extra import imported, reason
from ecgdig.io.atomic import whole_file
from ecgdig.io.wfdb import MAX_ADU, MV_PER_UNIT, RecordError, adu, adu_per_mv
from ecgdig.recording import Recording, canonical_lead

NOT_KNOWN = -MAX_ADU - 1  # the digital minimum, where no annotation covers it
_PLACEHOLDER = datetime(1985, 1, 1)  # the first day that EDF knows: the date of the page is not known
_TEXT = 40  # characters of an annotation that the library keeps
_MOST_PER_RECORD = 64


def write_edf(recording: Recording, about: About, path: str | os.PathLike[str]) -> Path:
    """Write EDF+C, 1 µV a step from -32.768 to 32.767 mV (coarser for a lead beyond that).

    EDF has no invalid sample: what is not known holds the digital minimum -32768, and annotations say from when to
    when, why, and in which leads; so they do where the last record is filled up. Each signal's transducer field names
    ecgdig and the checkpoint's SHA-256, annotations at 0 s say the rest of `About.pairs` as far as 40 characters go.
    The date is the format's earliest, 1985-01-01.

    Raises:
        RecordError: the recording has more gaps than EDF+ annotations can say.
    """
    edf = imported("pyedflib")
    signal = recording.signal_mv.astype(np.float64)
    gains = [adu_per_mv(lead) for lead in signal]
    per_record, seconds = _record(recording)
    n_records = -(-recording.n_samples // per_record)
    steps = np.full((n_records * per_record, len(gains)), NOT_KNOWN, np.int32)
    steps[: recording.n_samples] = adu(signal, gains)
    notes = _notes(recording, about, n_records * per_record)
    if len(notes) > n_records * _MOST_PER_RECORD:
        raise RecordError(f"{len(notes)} gaps and remarks are more than EDF+ holds; write WFDB or Parquet instead")
    sha = "" if about.checkpoint is None else f" sha256:{about.checkpoint[1]}"
    with whole_file(path) as file:
        writer = edf.EdfWriter(str(file), len(gains), file_type=edf.FILETYPE_EDFPLUS)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that a record's duration is given
                writer.setDatarecordDuration(seconds)
                for i, (lead, gain) in enumerate(zip(recording.leads, gains, strict=True)):
                    writer.setSignalHeader(i, _header(lead, gain, per_record / seconds, f"ecgdig{sha}"))
            writer.set_number_of_annotation_signals(-(-len(notes) // n_records))
            writer.setStartdatetime(_PLACEHOLDER)
            writer.setEquipment("ecgdig")
            for start in range(0, len(steps), per_record):
                record = np.ascontiguousarray(steps[start : start + per_record].T).ravel()
                if writer.blockWriteDigitalSamples(record) < 0:
                    raise OSError(f"cannot write {path}")
            for onset, duration, text in notes:
                writer.writeAnnotation(onset, duration, text)
        finally:
            writer.close()
    return Path(path)


def read_edf(path: str | os.PathLike[str]) -> Recording:
    """Read the voltages of an EDF or EDF+ file, all at one rate, in mV.

    The digital minimum -32768 is NaN where an annotation (`not printed`, `not readable`, `not known`, `no samples`)
    covers it, as `write_edf` writes it, or where a whole lead holds nothing else.

    Raises:
        RecordError: not such a file, damaged, no voltages, or rates that differ; one line that names the file.
    """
    file = Path(path)
    edf = imported("pyedflib")
    try:
        reader = edf.EdfReader(str(file))
    except Exception as error:  # OSError and whatever a damaged header leads to
        raise RecordError(f"{file}: not a readable EDF file ({reason(error)}); export it again") from None
    try:
        return _recording(reader, file.stem)
    except ValueError as error:
        raise RecordError(f"{file}: {error}") from None
    except Exception as error:
        raise RecordError(f"{file}: damaged EDF file ({reason(error)}); export it again") from None
    finally:
        reader.close()


def _record(recording: Recording) -> tuple[int, float]:
    """Samples of a data record, and its seconds: 1 s where the rate is a whole number."""
    if float(recording.fs).is_integer():
        return int(recording.fs), 1.0
    per_record = min(recording.n_samples, max(1, round(recording.fs)))
    return per_record, round(per_record / recording.fs, 5)


def _header(lead: str, gain: float, fs: float, transducer: str) -> dict[str, Any]:
    return {
        "label": f"ECG {lead}"[:16],  # as EDF+ names signals
        "dimension": "mV",
        "sample_frequency": fs,
        "physical_min": NOT_KNOWN / gain,
        "physical_max": MAX_ADU / gain,
        "digital_min": NOT_KNOWN,
        "digital_max": MAX_ADU,
        "transducer": transducer[:80],
        "prefilter": "",
    }


def _notes(recording: Recording, about: About, n_written: int) -> list[tuple[float, float, str]]:
    """(onset in s, duration in s, text) of each annotation; a duration of -1 means none."""
    notes = [(0.0, -1.0, text[:_TEXT]) for text in _remarks(recording, about)]
    for stretch in about.gaps(recording):
        onset, duration = stretch.first / recording.fs, (stretch.last - stretch.first) / recording.fs
        notes += [(onset, duration, text) for text in _lines(f"{stretch.why}: ", stretch.leads)]
    if n_written > recording.n_samples:
        rest = (n_written - recording.n_samples) / recording.fs
        notes.append((recording.duration_s, rest, "no samples: end of the page"))
    return notes


def _remarks(recording: Recording, about: About) -> list[str]:
    texts = [text for name, text in about.pairs(recording).items() if name not in ("missing samples", "checkpoint")]
    if about.checkpoint is not None:
        texts.append(f"checkpoint {about.checkpoint[0]}")
    return texts


def _lines(start: str, words: tuple[str, ...]) -> list[str]:
    """The words behind `start`, on as many lines of `_TEXT` characters as they need."""
    lines = [start]
    for word in words:
        if len(lines[-1]) + len(word) > _TEXT:
            lines.append(start)
        lines[-1] += f"{word} "
    return [line.strip()[:_TEXT] for line in lines]


def _recording(reader: Any, name: str) -> Recording:
    voltages = [i for i in range(reader.signals_in_file) if reader.getPhysicalDimension(i).lower() in MV_PER_UNIT]
    if not voltages:
        units = {reader.getPhysicalDimension(i) or "no unit" for i in range(reader.signals_in_file)}
        raise ValueError(f"no signal in V, mV, uV or nV (found: {', '.join(sorted(units)) or 'no signals'})")
    rates = {round(float(reader.getSampleFrequency(i)), 4) for i in voltages}
    if len(rates) > 1:
        raise ValueError(f"signals of {', '.join(f'{r:g}' for r in sorted(rates))} Hz; export them at one rate")
    fs = rates.pop()
    rows, steps = [], []
    for i in voltages:
        rows.append(reader.readSignal(i) * MV_PER_UNIT[reader.getPhysicalDimension(i).lower()])
        steps.append(reader.readSignal(i, digital=True))
    signal, lowest = np.stack(rows), np.stack(steps) == NOT_KNOWN
    stated = np.zeros(signal.shape[1], bool)
    for onset, duration, text in zip(*reader.readAnnotations(), strict=True):
        if str(text).startswith(("not printed", "not readable", "not known", "no samples")):
            stated[round(onset * fs) : round((onset + max(duration, 0)) * fs)] = True
    signal[lowest & (stated | lowest.all(axis=1, keepdims=True))] = np.nan
    end = signal.shape[1]
    for onset, _, text in zip(*reader.readAnnotations(), strict=True):
        if str(text).startswith("no samples"):
            end = min(end, round(onset * fs))
    leads = tuple(_lead_of(reader.getLabel(i)) for i in voltages)
    if not math.isfinite(fs) or fs <= 0:
        raise ValueError(f"sampling rate of {fs} Hz; want a positive number")
    return Recording(leads, fs, signal[:, : max(end, 1)].astype(np.float32), name=name)


def _lead_of(label: str) -> str:
    """EDF+ labels begin with the kind of signal: `ECG V1`."""
    bare = label.strip()
    for prefix in ("ECG", "EKG"):
        if bare.upper().startswith(f"{prefix} "):
            bare = bare[len(prefix) + 1 :]
    return canonical_lead(bare)
