from __future__ import annotations

from pathlib import Path

import numpy as np
import pyedflib
import pytest
from ecgdatakit.parsing import FileParser
from format_pages import SHA, same

from ecgdig.formats import About
from ecgdig.formats.edf import NOT_KNOWN, read_edf, write_edf
from ecgdig.io import RecordError
from ecgdig.recording import Recording


def test_pyedflib_finds_the_same_samples_and_the_gaps(page: tuple[Recording, About], tmp_path: Path) -> None:
    recording, about = page
    with pyedflib.EdfReader(str(write_edf(recording, about, tmp_path / "a.edf"))) as reader:
        assert reader.getSampleFrequency(0) == 500
        assert set(reader.getSignalHeader(0)) >= {"dimension", "transducer"}
        assert reader.getPhysicalDimension(0) == "mV"
        assert reader.getTransducer(11) == f"ecgdig sha256:{SHA}"
        digital = np.stack([reader.readSignal(i, digital=True) for i in range(12)])
        physical = np.stack([reader.readSignal(i) for i in range(12)])[:, : recording.n_samples]
        notes = list(zip(*reader.readAnnotations(), strict=True))
    missing = np.isnan(recording.signal_mv)
    np.testing.assert_array_equal(digital[:, : recording.n_samples] == NOT_KNOWN, missing)
    np.testing.assert_allclose(physical[~missing], recording.signal_mv[~missing], atol=6e-4)
    assert (3.2, 0.1, "not readable: V2") in [(round(a, 3), round(b, 3), c) for a, b, c in notes]
    assert (6.3, 0.7, "no samples: end of the page") in [(round(a, 3), round(b, 3), c) for a, b, c in notes]
    texts = [str(text) for _, _, text in notes]
    assert any(text.startswith("digitized from an image") for text in texts)
    assert "checkpoint trace-unet-small" in texts


def test_another_reader_agrees(page: tuple[Recording, About], tmp_path: Path) -> None:
    recording, about = page
    record = FileParser().parse(write_edf(recording, about, tmp_path / "a.edf"))
    lead = next(lead for lead in record.leads if lead.label == "II")
    assert (lead.units, lead.sampling_rate) == ("mV", 500)
    np.testing.assert_allclose(lead.samples[:3000], recording.lead("II")[:3000], atol=6e-4)  # printed from 0 to 6 s


@pytest.mark.parametrize("fs", [500.0, 128.0, 257.5])
def test_reads_back_at_any_rate(page: tuple[Recording, About], tmp_path: Path, fs: float) -> None:
    recording = page[0].resample(fs)
    read = read_edf(write_edf(recording, page[1], tmp_path / "a.edf"))
    assert read.fs == pytest.approx(fs, rel=1e-4)
    same(Recording(read.leads, recording.fs, read.signal_mv), recording)


def test_large_values_get_a_coarser_step(tmp_path: Path) -> None:
    recording = Recording(("I", "II"), 500.0, np.stack([np.linspace(-90, 90, 1000), np.zeros(1000)]))
    same(read_edf(write_edf(recording, About(), tmp_path / "a.edf")), recording, 0.01)


def test_more_gaps_than_fit_are_refused(tmp_path: Path) -> None:
    signal = np.zeros((2, 1000), np.float32)
    signal[:, ::2] = np.nan
    with pytest.raises(RecordError, match="more than EDF"):
        write_edf(Recording(("I", "II"), 500.0, signal), About(), tmp_path / "a.edf")
    assert not list(tmp_path.iterdir())


def test_other_files_get_one_line(page: tuple[Recording, About], tmp_path: Path) -> None:
    file = write_edf(*page, tmp_path / "a.edf")
    whole = file.read_bytes()
    for damaged in (b"", whole[:100], whole[:5000], b"x" * 4000):
        file.write_bytes(damaged)
        with pytest.raises(RecordError, match=r"a\.edf: ") as caught:
            read_edf(file)
        assert "\n" not in str(caught.value)
    file.write_bytes(whole.replace(b"mV      ", b"mmHg    "))
    with pytest.raises(RecordError, match="mmHg"):
        read_edf(file)
