from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from format_pages import SHA, SOURCE, same
from pydicom.sr import _concepts_dict

from ecgdig.formats import About
from ecgdig.formats.dicom import GENERAL, MDC_CODES, PADDING, TWELVE_LEAD, read_dicom, write_dicom
from ecgdig.io import RecordError
from ecgdig.recording import Recording
from ecgdig.units import LEADS


def test_pydicom_decodes_the_same_samples(page: tuple[Recording, About], tmp_path: Path) -> None:
    recording, about = page
    ds = pydicom.dcmread(write_dicom(recording, about, tmp_path / "a.dcm"))
    assert ds.SOPClassUID == TWELVE_LEAD
    group = ds.WaveformSequence[0]
    assert (group.SamplingFrequency, group.NumberOfWaveformChannels, group.WaveformOriginality) == (500, 12, "DERIVED")
    microvolts = ds.waveform_array(0).T  # sensitivities applied, padding not
    missing = np.isnan(recording.signal_mv)
    assert int.from_bytes(group.WaveformPaddingValue, "little", signed=True) == PADDING
    np.testing.assert_array_equal(microvolts == PADDING, missing)
    np.testing.assert_allclose(microvolts[~missing], 1000 * recording.signal_mv[~missing], atol=0.51)


def test_channels_have_lead_codes_and_units(page: tuple[Recording, About], tmp_path: Path) -> None:
    ds = pydicom.dcmread(write_dicom(*page, tmp_path / "a.dcm"))
    codes = {code for words in _concepts_dict.concepts["MDC"].values() for code in words}
    for channel, lead in zip(ds.WaveformSequence[0].ChannelDefinitionSequence, LEADS, strict=True):
        source = channel.ChannelSourceSequence[0]
        assert source.CodingSchemeDesignator == "MDC"
        assert source.CodeValue in codes  # pydicom's own copy of context group 3001
        assert lead in source.CodeMeaning
        assert channel.ChannelSensitivityUnitsSequence[0].CodeValue == "uV"


def test_provenance_and_gaps_are_annotations(page: tuple[Recording, About], tmp_path: Path) -> None:
    ds = pydicom.dcmread(write_dicom(*page, tmp_path / "a.dcm"))
    texts = {item.UnformattedTextValue: item for item in ds.WaveformAnnotationSequence}
    assert f"source: {SOURCE}" in texts
    gap = texts["not readable: V2 from 3.2 to 3.3 s"]
    assert gap.ReferencedWaveformChannels == [1, 8]
    assert gap.ReferencedSamplePositions == [1601, 1650]
    assert SHA in ds.ContributingEquipmentSequence[0].ContributionDescription


# PS3.3 A.34.3 and the modules named there: what must have a value (type 1, and 1C where its condition holds) ...
WITH_A_VALUE = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "InstanceNumber",
    "ContentDate", "ContentTime", "AcquisitionDateTime", "WaveformSequence",
)  # fmt: skip
# ... and what must be there, with a value or without (type 2)
THERE = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
    "ReferringPhysicianName", "AccessionNumber", "SeriesNumber", "Manufacturer", "AcquisitionContextSequence",
)  # fmt: skip
OF_A_GROUP = (
    "MultiplexGroupTimeOffset", "WaveformOriginality", "NumberOfWaveformChannels", "NumberOfWaveformSamples",
    "SamplingFrequency", "ChannelDefinitionSequence", "WaveformBitsAllocated", "WaveformSampleInterpretation",
    "WaveformPaddingValue", "WaveformData",
)  # fmt: skip
OF_A_CHANNEL = (
    "ChannelSourceSequence", "ChannelSensitivity", "ChannelSensitivityUnitsSequence",
    "ChannelSensitivityCorrectionFactor", "ChannelBaseline", "ChannelSampleSkew", "WaveformBitsStored",
)  # fmt: skip
OF_A_CODE = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")


def _empty(ds: pydicom.Dataset, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name not in ds or ds[name].is_empty]


def test_the_object_has_all_that_its_definition_wants(page: tuple[Recording, About], tmp_path: Path) -> None:
    ds = pydicom.dcmread(write_dicom(*page, tmp_path / "a.dcm"))
    assert _empty(ds, WITH_A_VALUE) == []
    assert [name for name in THERE if name not in ds] == []
    (group,) = ds.WaveformSequence
    assert _empty(group, OF_A_GROUP) == []
    assert (group.WaveformBitsAllocated, group.WaveformSampleInterpretation) == (16, "SS")
    assert len(group.WaveformData) == 2 * group.NumberOfWaveformChannels * group.NumberOfWaveformSamples
    assert 200 <= group.SamplingFrequency <= 1000
    for channel in group.ChannelDefinitionSequence:
        assert _empty(channel, OF_A_CHANNEL) == []
        for code in (*channel.ChannelSourceSequence, *channel.ChannelSensitivityUnitsSequence):
            assert _empty(code, OF_A_CODE) == []
    for note in ds.WaveformAnnotationSequence:
        assert note.ReferencedWaveformChannels
        assert note.UnformattedTextValue


def test_every_value_is_as_its_representation_wants(page: tuple[Recording, About], tmp_path: Path) -> None:
    file = write_dicom(*page, tmp_path / "a.dcm")
    strictly = pydicom.config.settings
    was, strictly.reading_validation_mode = strictly.reading_validation_mode, pydicom.config.RAISE
    try:
        ds = pydicom.dcmread(file)
        assert sum(1 for _ in ds.iterall()) > 100  # each is parsed and checked
    finally:
        strictly.reading_validation_mode = was


def test_uids_depend_on_the_samples(page: tuple[Recording, About], tmp_path: Path) -> None:
    recording, about = page
    other = replace(recording, signal_mv=recording.signal_mv + 1)
    uids = [
        pydicom.dcmread(write_dicom(r, about, tmp_path / f"{i}.dcm")).SOPInstanceUID
        for i, r in enumerate((recording, recording, other))
    ]
    assert uids[0] == uids[1] != uids[2]


def test_reads_back(page: tuple[Recording, About], tmp_path: Path) -> None:
    same(read_dicom(write_dicom(*page, tmp_path / "a.dcm")), page[0])


def test_what_a_12_lead_object_cannot_hold_is_a_general_ecg(tmp_path: Path) -> None:
    long = Recording(("I", "Holter 1"), 500.0, np.full((2, 20_000), 50, np.float32))  # 40 s, and beyond 32 mV
    file = write_dicom(long, About(), tmp_path / "a.dcm")
    assert pydicom.dcmread(file).SOPClassUID == GENERAL
    same(read_dicom(file), long, 0.01)
    assert read_dicom(file).leads == long.leads


def _changed(file: Path, **values: object) -> None:
    ds = pydicom.dcmread(file)
    for name, value in values.items():
        place = ds if name in ds else ds.WaveformSequence[0]
        if value is None:
            delattr(place, name)
        else:
            setattr(place, name, value)
    ds.save_as(file)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"WaveformSequence": None}, "holds no waveform"),
        ({"NumberOfWaveformSamples": 10**6}, "damaged ECG waveform"),
        ({"ChannelDefinitionSequence": None}, "damaged ECG waveform"),
        ({"SamplingFrequency": "0"}, "sampling rate 0"),
    ],
)
def test_damaged_objects_get_one_line(
    page: tuple[Recording, About], tmp_path: Path, values: dict[str, object], says: str
) -> None:
    file = write_dicom(*page, tmp_path / "a.dcm")
    _changed(file, **values)
    with pytest.raises(RecordError, match=rf"a\.dcm: .*{says}"):
        read_dicom(file)


def test_other_units_and_older_codes_are_understood(page: tuple[Recording, About], tmp_path: Path) -> None:
    file = write_dicom(*page, tmp_path / "a.dcm")
    ds = pydicom.dcmread(file)
    for channel, lead in zip(ds.WaveformSequence[0].ChannelDefinitionSequence, LEADS, strict=True):
        channel.ChannelSensitivityUnitsSequence[0].CodeValue = "mV"
        channel.ChannelSensitivity = "0.001"
        channel.ChannelSourceSequence[0].CodeValue = f"5.6.3-9-{MDC_CODES[lead]}"
        channel.ChannelSourceSequence[0].CodingSchemeDesignator = "SCPECG"
    ds.save_as(file)
    same(read_dicom(file), page[0])
    ds.WaveformSequence[0].ChannelDefinitionSequence[3].ChannelSensitivityUnitsSequence[0].CodeValue = "mm[Hg]"
    ds.save_as(file)
    with pytest.raises(RecordError, match=r"aVR is in 'mm\[Hg\]'"):
        read_dicom(file)
