"""WFDB records, the format of PhysioNet: a text header `.hea` beside binary signal files (`.dat`, `.mat`).

Format: https://wfdb.io/spec/header-files.html and https://wfdb.io/spec/signal-files.html
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecgdig.recording import Recording, canonical_lead
from ecgdig.units import LEADS

if TYPE_CHECKING:  # where it is used it is imported: it brings pandas, half a second
    import wfdb

log = logging.getLogger(__name__)

MV_PER_UNIT = {"v": 1e3, "mv": 1.0, "uv": 1e-3, "nv": 1e-6}  # units as written, lower case, µ spelt u
GAIN_ADU_PER_MV = 1000.0  # 1 µV a step
MAX_ADU = 32767  # format 16; -32768 marks a sample that is not known
_SUFFIXES = (".hea", ".dat", ".mat")
_EMPTY = "the record is empty; give one that holds at least one lead and one sample"


class RecordError(ValueError):
    """A record that cannot be read or written; the message names the file and what to do about it."""


def read_wfdb(path: str | os.PathLike[str]) -> Recording:
    """Read a WFDB record from its `.hea`, `.dat` or `.mat` file, or from its name without a suffix.

    Lead names come back in their usual spelling, in the record's own order; all voltages in mV; invalid samples as
    NaN; header comments `Key: value` as metadata. A channel that is no voltage (respiration in ohm, pressure in mmHg)
    is left out with a warning if the record holds voltages too. Channels of differing rates come back at the highest.

    Raises:
        RecordError: no such record, unreadable or truncated files, no samples, repeated lead names, unknown units.
    """
    header = _header_path(Path(path))
    record = _read_record(header)
    text = _header_text(header)
    units = _units(text, record.n_sig) or [unit or "mV" for unit in record.units]
    names = [canonical_lead(name or f"ch{i}") for i, name in enumerate(record.sig_name)]
    kept = _voltage_channels(header, names, units)
    leads = tuple(names[i] for i in kept)
    repeated = sorted({lead for lead in leads if leads.count(lead) > 1})
    if repeated:
        raise RecordError(f"{header}: lead names repeat: {', '.join(repeated)}; rename them in the header")

    per_frame = record.samps_per_frame or [1] * record.n_sig
    highest = max(per_frame[i] for i in kept)
    channels = [np.asarray(record.e_p_signal[i]) * _mv_per_unit(units[i]) for i in kept]
    rows = [_at_rate(channel, per_frame[i], highest) for channel, i in zip(channels, kept, strict=True)]
    return Recording(
        leads=leads,
        fs=float(record.fs) * highest,
        signal_mv=np.stack(rows).astype(np.float32),
        name=header.stem,
        metadata=_metadata(text),
    )


def write_wfdb(recording: Recording, folder: str | os.PathLike[str], name: str) -> Path:
    """Write `name.dat` (format 16, 1 µV a step) and `name.hea` into `folder`; returns the header's path.

    NaN is kept (as WFDB's invalid sample). A lead beyond ±32.767 mV gets a coarser step, written in its header line.
    Both files are made under a temporary name and then renamed, the header last, so a header never lacks its samples.
    `sigma_mv` is not written.

    Raises:
        RecordError: `name` is not a WFDB name (letters, digits, `_`, `-`); `safe_name` makes one of any text.
    """
    import wfdb

    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise RecordError(
            f"record name {name!r} holds characters that WFDB forbids; "
            f"use letters, digits, '_' and '-', for example {safe_name(name)!r}"
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    signal = recording.signal_mv.astype(np.float64)
    gains = [adu_per_mv(lead) for lead in signal]
    n_leads = len(recording.leads)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder) as scratch:
        wfdb.wrsamp(
            name,
            fs=int(recording.fs) if float(recording.fs).is_integer() else recording.fs,
            units=["mV"] * n_leads,
            sig_name=[_one_line(lead) for lead in recording.leads],
            d_signal=adu(signal, gains),
            fmt=["16"] * n_leads,
            adc_gain=gains,
            baseline=[0] * n_leads,
            comments=_comments(recording.metadata),
            write_dir=scratch,
        )
        for suffix in (".dat", ".hea"):
            os.replace(Path(scratch) / f"{name}{suffix}", folder / f"{name}{suffix}")
    return folder / f"{name}.hea"


def safe_name(text: str) -> str:
    """A valid record name that resembles `text`: what WFDB forbids becomes `_`."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_") or "record"


def _header_path(path: Path) -> Path:
    """The header that describes `path`."""
    bare = path.with_suffix("") if path.suffix.lower() in _SUFFIXES else path
    header = bare.with_name(f"{bare.name}.hea")
    if header.is_file():
        return header
    if path.is_file():  # one of several signal files of a record, such as 00038_hr_a.dat of 00038_hr
        for end in range(len(bare.name) - 1, 0, -1):
            shorter = bare.with_name(f"{bare.name[:end]}.hea")
            if shorter.is_file() and path.name in shorter.read_text(errors="replace"):
                return shorter
    if path.is_dir():
        raise RecordError(f"{path}: is a folder; give one record in it (a .hea file)")
    raise RecordError(f"{header}: no such header; give the path of a WFDB record's .hea file, its .dat file beside it")


def _read_record(header: Path) -> wfdb.Record:
    """The record with its physical signals, every channel at its own rate."""
    import wfdb

    try:
        record = wfdb.rdrecord(str(header.with_suffix("")), smooth_frames=False)
    except Exception as error:  # the package raises anything: IndexError, its own HeaderSyntaxError, soundfile's ...
        raise RecordError(f"{header}: {_what_is_wrong(header, error)}") from error
    if not record.n_sig or not record.sig_len:
        raise RecordError(f"{header}: {_EMPTY}")
    return record


def _what_is_wrong(header: Path, error: Exception) -> str:
    """Why a record could not be read, and what to do about it."""
    import wfdb

    try:
        described = wfdb.rdheader(str(header.with_suffix("")))
    except Exception as header_error:
        return f"not a readable WFDB header ({_one_line(header_error)}); export it again"
    if not described.n_sig or described.sig_len == 0:
        return _EMPTY
    files = getattr(described, "file_name", None) or []  # a record of several segments has none of its own
    if not isinstance(described, wfdb.MultiRecord) and len(files) != described.n_sig:
        return f"announces {described.n_sig} signals but describes {len(files)}; export it again"
    missing = [name for name in files if not (header.parent / name).is_file()]
    if missing:
        return f"its signal file {missing[0]} is missing; put it beside the header"
    return f"its signal file is damaged or shorter than the header says ({_one_line(error)}); copy it again"


def _header_text(header: Path) -> str:
    """The header as text. The wfdb package drops what is not ASCII, and so reads "µV" as "V"."""
    data = header.read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _units(text: str, n_signals: int) -> list[str]:
    """The unit of each signal line; empty for a record of several segments, whose units stand in other headers."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if "/" in lines[0][0]:
        return []
    gains = [fields[2] if len(fields) > 2 else "" for fields in lines[1 : 1 + n_signals]]
    return [gain.partition("/")[2] or "mV" for gain in gains]


def _voltage_channels(header: Path, names: Sequence[str], units: Sequence[str]) -> list[int]:
    """The indices of the channels to keep; an ECG lead whose unit is no voltage is an error."""
    kept = [i for i, unit in enumerate(units) if _normal_unit(unit) in MV_PER_UNIT]
    dropped = [i for i in range(len(units)) if i not in kept]
    wrong = [i for i in dropped if names[i] in LEADS or not kept]
    if wrong:
        raise RecordError(f"{header}: {names[wrong[0]]} is in {units[wrong[0]]!r}; want one of V, mV, uV (µV), nV")
    if dropped:
        log.warning("%s: left out %s, not a voltage", header, ", ".join(f"{names[i]} ({units[i]})" for i in dropped))
    return kept


def _normal_unit(unit: str) -> str:
    return unit.strip().replace("µ", "u").replace("μ", "u").lower()  # micro sign U+00B5 and Greek mu U+03BC


def _mv_per_unit(unit: str) -> float:
    return MV_PER_UNIT[_normal_unit(unit)]


def _at_rate(channel: NDArray[np.float64], per_frame: int, highest: int) -> NDArray[np.float32]:
    row = channel.astype(np.float32)
    if per_frame == highest:
        return row
    slow = Recording(leads=("x",), fs=per_frame, signal_mv=row[None])
    fast: NDArray[np.float32] = slow.resample(highest).signal_mv[0]
    return fast


def _metadata(text: str) -> dict[str, str]:
    """Header comments: `# Age: 61` -> {"Age": "61"}; comments of another form are joined under "comment"."""
    metadata: dict[str, str] = {}
    for line in text.splitlines():
        if not line.lstrip().startswith("#"):
            continue
        comment = line.strip().lstrip("#").strip()
        key, colon, value = (part.strip() for part in comment.partition(":"))
        if not (colon and key):
            key, value = "comment", comment
        if comment:
            metadata[key] = f"{metadata[key]}; {value}" if key in metadata else value
    return metadata


def _comments(metadata: Mapping[str, str]) -> list[str]:
    free = [_one_line(text) for key, text in metadata.items() if key == "comment"]
    return [f"{_one_line(key)}: {_one_line(text)}" for key, text in metadata.items() if key != "comment"] + free


def adu_per_mv(lead: NDArray[np.float64]) -> float:
    """Steps per mV: 1000, or the power of ten below it that fits the lead's largest value."""
    peak = float(np.abs(lead[np.isfinite(lead)]).max(initial=0.0))
    gain = GAIN_ADU_PER_MV
    while round(peak * gain) > MAX_ADU:
        gain /= 10
    return gain


def adu(signal: NDArray[np.float64], gains: Sequence[float]) -> NDArray[np.int64]:
    """ADC steps `(n_samples, n_leads)`, -32768 where the sample is not known."""
    steps = np.round(signal * np.asarray(gains)[:, None])
    return np.where(np.isfinite(steps), steps, -MAX_ADU - 1).astype(np.int64).T


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
