"""DICOM 12-Lead ECG Waveform Storage objects (General ECG where a 12-lead object cannot hold them).

Format: https://dicom.nema.org/medical/dicom/current/output/chtml/part03/sect_A.34.3.html; lead codes: context group
3001, ISO/IEEE 11073 (MDC).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ecgdig import __version__
from ecgdig.formats.about import About, Stretch
from ecgdig.formats.extra import imported, reason
from ecgdig.io.atomic import whole_file
from ecgdig.io.wfdb import MAX_ADU, MV_PER_UNIT, RecordError, adu, adu_per_mv
from ecgdig.recording import Recording, canonical_lead
from ecgdig.units import LEADS

PADDING = -MAX_ADU - 1  # Waveform Padding Value: the sample is not known
TWELVE_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"
GENERAL = "1.2.840.10008.5.1.4.1.1.9.1.2"
_MOST_CHANNELS, _MOST_SAMPLES = 13, 16384  # of a 12-lead object
_MEANING: tuple[str, ...] = ("Lead I", "Lead II", "Lead III")
_MEANING += ("aVR, augmented voltage, right", "aVL, augmented voltage, left")
_MEANING += ("aVF, augmented voltage, foot", *(f"Lead V{n}" for n in range(1, 7)))
MDC_CODES = dict(
    zip(LEADS, (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8), strict=True)
)  # of partition 2; SCP-ECG 5.6.3-9-N has the same
_TEXT_CHARACTERS = 1000  # of an annotation: 1024 bytes at most


def write_dicom(recording: Recording, about: About, path: str | os.PathLike[str]) -> Path:
    """Write one multiplex group of 16-bit samples, 1 µV a step (coarser, and said so, for a lead beyond ±32.767 mV).

    What is not known has the Waveform Padding Value -32768, and each such stretch an annotation with its reason. All
    of `About.pairs` are annotations too. The object is marked as derived; its dates are those of writing, since the
    page's own is not known. The UIDs depend on the samples and on `about` alone.
    """
    pydicom, uid = imported("pydicom"), imported("pydicom.uid")
    sequence = imported("pydicom.sequence").Sequence
    signal = recording.signal_mv.astype(np.float64)
    gains = [adu_per_mv(lead) for lead in signal]
    twelve = len(recording.leads) <= _MOST_CHANNELS and recording.n_samples <= _MOST_SAMPLES
    now = datetime.now()
    seed = hashlib.sha256(signal.tobytes() + "\n".join(about.lines(recording)).encode()).hexdigest()

    ds = pydicom.Dataset()
    ds.SOPClassUID = TWELVE_LEAD if twelve else GENERAL
    for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(ds, name, uid.generate_uid(entropy_srcs=[seed, name]))
    ds.SpecificCharacterSet = "ISO_IR 192"
    for name in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID"):
        setattr(ds, name, "")
    ds.AccessionNumber = ds.ReferringPhysicianName = ""
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "ECG", "1", "1"
    ds.SeriesDescription = "digitized from paper" if about.source else ""
    ds.Manufacturer = ds.ManufacturerModelName = "ecgdig"
    ds.SoftwareVersions, ds.DeviceSerialNumber = __version__, ""
    ds.ContentDate, ds.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    ds.AcquisitionDateTime = now.strftime("%Y%m%d%H%M%S")  # must not be empty; an annotation says that it is not known
    ds.AcquisitionContextSequence = sequence([])
    if about.checkpoint is not None:
        ds.ContributingEquipmentSequence = sequence([_equipment(pydicom, about.checkpoint)])
    ds.WaveformAnnotationSequence = sequence(_annotations(pydicom, recording, about))
    ds.WaveformSequence = sequence([_group(pydicom, recording, signal, gains)])
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    with whole_file(path) as file:
        ds.save_as(file, enforce_file_format=True)
    return Path(path)


def read_dicom(path: str | os.PathLike[str]) -> Recording:
    """Read the first multiplex group of an ECG waveform object; voltages in mV, padding as NaN.

    Raises:
        RecordError: no such object, damaged, no voltages, or leads without a name; one line that names the file.
    """
    file = Path(path)
    pydicom = imported("pydicom")
    try:
        ds = pydicom.dcmread(file)
    except Exception as error:  # damaged files make the library raise anything
        raise RecordError(f"{file}: not a readable DICOM file ({reason(error)}); export it again") from None
    if "WaveformSequence" not in ds or not ds.WaveformSequence:
        what = getattr(ds.get("SOPClassUID"), "name", "") or "this DICOM object"
        raise RecordError(f"{file}: {what} holds no waveform; give an ECG waveform object")
    group = ds.WaveformSequence[0]
    try:
        raw = ds.waveform_array(0).T  # (channels, samples), in the units of the channels
        steps = imported("pydicom.waveforms").multiplex_array(ds, 0, as_raw=True).T
        fs = float(group.SamplingFrequency)
        channels = list(group.ChannelDefinitionSequence)
        names = [_lead_of(channel) for channel in channels]
        padding = group.get("WaveformPaddingValue")
        per_unit = [_mv_per_unit(channel) for channel in channels]
    except RecordError as error:
        raise RecordError(f"{file}: {error}") from None
    except Exception as error:
        raise RecordError(f"{file}: damaged ECG waveform ({reason(error)}); export it again") from None
    signal = raw * np.array(per_unit)[:, None]
    if padding is not None:
        number = int.from_bytes(padding[:2], "little", signed=True) if isinstance(padding, bytes) else int(padding)
        signal = np.where(steps == number, np.nan, signal)
    try:
        return Recording(tuple(names), fs, signal.astype(np.float32), name=file.stem)
    except ValueError as error:
        raise RecordError(f"{file}: {error}") from None


def _group(pydicom: Any, recording: Recording, signal: Any, gains: Sequence[float]) -> Any:
    group = pydicom.Dataset()
    group.MultiplexGroupTimeOffset = "0"
    group.WaveformOriginality = "DERIVED"
    group.NumberOfWaveformChannels = len(recording.leads)
    group.NumberOfWaveformSamples = recording.n_samples
    group.SamplingFrequency = f"{recording.fs:.10g}"
    group.MultiplexGroupLabel = "RHYTHM"
    channels = []
    for i, (lead, gain) in enumerate(zip(recording.leads, gains, strict=True)):
        channel = pydicom.Dataset()
        channel.WaveformChannelNumber = i + 1
        channel.ChannelLabel = lead[:16]
        channel.ChannelSourceSequence = [_lead_code(pydicom, lead)]
        channel.ChannelSensitivity = f"{1000 / gain:g}"
        channel.ChannelSensitivityUnitsSequence = [_code(pydicom, "uV", "UCUM", "microvolt")]
        channel.ChannelSensitivityCorrectionFactor, channel.ChannelBaseline = "1", "0"
        channel.ChannelSampleSkew = "0"
        channel.WaveformBitsStored = 16
        channels.append(channel)
    group.ChannelDefinitionSequence = channels
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    group.add_new("WaveformPaddingValue", "OW", int(PADDING).to_bytes(2, "little", signed=True))
    group.add_new("WaveformData", "OW", adu(signal, gains).astype("<i2").tobytes())
    return group


def _code(pydicom: Any, value: str, scheme: str, meaning: str) -> Any:
    code = pydicom.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _lead_code(pydicom: Any, lead: str) -> Any:
    if lead in MDC_CODES:
        return _code(pydicom, f"2:{MDC_CODES[lead]}", "MDC", _MEANING[LEADS.index(lead)])
    return _code(pydicom, lead[:16], "99ECGDIG", lead[:64])


def _equipment(pydicom: Any, checkpoint: tuple[str, str]) -> Any:
    item = pydicom.Dataset()
    item.PurposeOfReferenceCodeSequence = [_code(pydicom, "109102", "DCM", "Processing Equipment")]
    item.Manufacturer, item.ManufacturerModelName, item.SoftwareVersions = "ecgdig", checkpoint[0][:64], __version__
    item.ContributionDescription = f"network {checkpoint[0]}, SHA-256 of its weights {checkpoint[1]}"
    return item


def _annotations(pydicom: Any, recording: Recording, about: About) -> list[Any]:
    items = []
    for name, text in about.pairs(recording).items():
        if name != "missing samples":  # each has an annotation of its own
            items.append(_annotation(pydicom, f"{name}: {text}", [1, 0]))
    items.append(_annotation(pydicom, "dates in this object: of writing; that of the recording is not known", [1, 0]))
    for stretch in about.gaps(recording):
        items.append(_gap(pydicom, stretch, recording))
    return items


def _annotation(pydicom: Any, text: str, channels: list[int]) -> Any:
    item = pydicom.Dataset()
    item.ReferencedWaveformChannels = channels  # pairs of group and channel; channel 0 means all
    item.UnformattedTextValue = text[:_TEXT_CHARACTERS]
    item.AnnotationGroupNumber = 0
    return item


def _gap(pydicom: Any, stretch: Stretch, recording: Recording) -> Any:
    channels = [number for lead in stretch.leads for number in (1, recording.leads.index(lead) + 1)]
    item = _annotation(pydicom, stretch.text(recording.fs), channels)
    item.TemporalRangeType = "SEGMENT"
    item.ReferencedSamplePositions = [stretch.first + 1, stretch.last]  # from 1, both included
    return item


def _lead_of(channel: Any) -> str:
    """The lead of a channel, by its code where that is known, else by what the code means or the label."""
    source = channel.ChannelSourceSequence[0] if channel.get("ChannelSourceSequence") else None
    value = str(source.get("CodeValue", "")) if source is not None else ""
    for lead, n in MDC_CODES.items():
        if value in (f"2:{n}", f"5.6.3-9-{n}"):
            return lead
    meaning = str(source.get("CodeMeaning", "")) if source is not None else ""
    text = meaning or str(channel.get("ChannelLabel", "")) or value
    if not text:
        raise RecordError("a channel has neither a lead code nor a label; name its leads before exporting")
    bare = text.partition("(")[0].strip()
    return canonical_lead(bare)


def _mv_per_unit(channel: Any) -> float:
    units = channel.get("ChannelSensitivityUnitsSequence")
    unit = str(units[0].CodeValue) if units else ""
    if unit.strip().lower() not in MV_PER_UNIT:
        raise RecordError(f"channel {_lead_of(channel)} is in {unit or 'no unit'!r}; want one of V, mV, uV, nV")
    return MV_PER_UNIT[unit.strip().lower()]
