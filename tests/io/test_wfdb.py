from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile
import wfdb

from ecgdig.io import RecordError, read_wfdb, safe_name, write_wfdb
from ecgdig.recording import Recording
from ecgdig.units import LEADS

SHARED = Path(__file__).parents[3] / "shared" / "ecg"


def steps(n_leads: int = 3, n: int = 800) -> np.ndarray:
    """ADC steps that fit every format, `(n, n_leads)`."""
    return np.random.default_rng(0).integers(-1500, 1500, (n, n_leads))


def record(
    folder: Path, digital: np.ndarray, names: list[str], units: list[str], fmt: str = "16", name: str = "r1"
) -> Path:
    wfdb.wrsamp(
        name,
        fs=500,
        units=units,
        sig_name=names,
        d_signal=digital,
        fmt=[fmt] * len(names),
        adc_gain=[200.0] * len(names),
        baseline=[10] * len(names),
        comments=["Age: 61", "a free remark"],
        write_dir=str(folder),
    )
    return folder / f"{name}.hea"


def as_flac(folder: Path, digital: np.ndarray) -> Path:
    """Format 516: 16-bit FLAC, which the wfdb package reads but does not write."""
    soundfile.write(folder / "r1.dat", digital.astype(np.int16), 96000, format="FLAC", subtype="PCM_16")
    lines = [f"r1.dat 516 200(10)/mV 16 0 {first} 0 0 {name}" for first, name in zip(digital[0], LEADS, strict=False)]
    (folder / "r1.hea").write_text("\n".join([f"r1 {len(lines)} 500 {len(digital)}", *lines, "# Age: 61", ""]))
    return folder / "r1.hea"


def as_mat(folder: Path, digital: np.ndarray) -> Path:
    """The Challenge's `.mat`: a 24-byte MATLAB 4 header, then format 16."""
    header = np.array([30, digital.shape[1], len(digital), 0, 4], "<i4").tobytes() + b"val\0"
    (folder / "r1.mat").write_bytes(header + digital.astype("<i2").tobytes())
    lines = [f"r1.mat 16+24 200(10)/mV 16 0 0 0 0 {name}" for name, _ in zip(LEADS, digital.T, strict=False)]
    (folder / "r1.hea").write_text("\n".join([f"r1 {len(lines)} 500 {len(digital)}", *lines, "#Age: 61", ""]))
    return folder / "r1.hea"


def written(tmp_path: Path) -> Path:
    return record(tmp_path, steps(), ["I", "II", "III"], ["mV"] * 3)


@pytest.mark.parametrize("fmt", ["16", "212", "516", "mat"])
@pytest.mark.parametrize("suffix", ["", ".hea", "signal"])
def test_formats_and_suffixes(tmp_path: Path, fmt: str, suffix: str) -> None:
    digital = steps()
    if fmt in ("16", "212"):
        header = record(tmp_path, digital, ["I", "II", "III"], ["mV"] * 3, fmt)
    else:
        header = as_flac(tmp_path, digital) if fmt == "516" else as_mat(tmp_path, digital)
    suffix = suffix if suffix != "signal" else ".mat" if fmt == "mat" else ".dat"
    recording = read_wfdb(header.with_suffix(suffix))
    assert (recording.leads, recording.fs, recording.name) == (("I", "II", "III"), 500.0, "r1")
    assert recording.metadata["Age"] == "61"
    np.testing.assert_allclose(recording.signal_mv, (digital.T - 10) / 200, atol=1e-6)


def test_a_signal_file_of_another_name_finds_its_header(tmp_path: Path) -> None:
    header = written(tmp_path)
    (tmp_path / "r1.dat").rename(tmp_path / "r1_a.dat")
    header.write_text(header.read_text().replace("r1.dat", "r1_a.dat"))
    assert read_wfdb(tmp_path / "r1_a.dat").name == "r1"


def test_lead_names_order_and_comments(tmp_path: Path) -> None:
    recording = read_wfdb(record(tmp_path, steps(4), ["v6", "AVR", "ii", "MLII"], ["mV"] * 4))
    assert recording.leads == ("V6", "aVR", "II", "MLII")
    assert recording.metadata == {"Age": "61", "comment": "a free remark"}


@pytest.mark.parametrize(
    "unit, mv",
    [
        pytest.param(b"/mV", 1.0, id="mV"),
        pytest.param(b"/mv", 1.0, id="mv"),
        pytest.param(b"", 1.0, id="missing: mV"),
        pytest.param(b"/V", 1e3, id="V"),
        pytest.param(b"/uV", 1e-3, id="uV"),
        pytest.param("/µV".encode(), 1e-3, id="micro sign in UTF-8"),
        pytest.param("/μV".encode(), 1e-3, id="Greek mu in UTF-8"),
        pytest.param("/µV".encode("latin-1"), 1e-3, id="micro sign in Latin-1"),
        pytest.param(b"/nV", 1e-6, id="nV"),
    ],
)
def test_units(tmp_path: Path, unit: bytes, mv: float) -> None:
    digital = steps()
    header = record(tmp_path, digital, ["I", "II", "III"], ["mV"] * 3)
    header.write_bytes(header.read_bytes().replace(b"/mV", unit))
    np.testing.assert_allclose(read_wfdb(header).signal_mv, (digital.T - 10) / 200 * mv, rtol=1e-5, atol=1e-9)


def test_an_unknown_unit_is_named(tmp_path: Path) -> None:
    header = record(tmp_path, steps(), ["I", "II", "III"], ["mV", "furlong", "mV"])
    with pytest.raises(RecordError, match=r"II is in 'furlong'; want one of V, mV"):
        read_wfdb(header)


def test_channels_that_are_no_voltage_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    header = record(tmp_path, steps(4), ["I", "ABP", "RESP", "II"], ["mV", "mmHg", "V", "mV"])
    with caplog.at_level(logging.WARNING):
        assert read_wfdb(header).leads == ("I", "RESP", "II")
    assert "ABP (mmHg)" in caplog.text


def test_a_record_of_pressures_only_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="mmHg"):
        read_wfdb(record(tmp_path, steps(1), ["ABP"], ["mmHg"]))


def test_invalid_samples_are_nan_and_flat_leads_stay(tmp_path: Path) -> None:
    digital = steps()
    digital[5:9, 0] = -32768
    digital[:, 1] = 10
    digital[:, 2] = -32768
    recording = read_wfdb(record(tmp_path, digital, ["I", "II", "III"], ["mV"] * 3))
    assert np.flatnonzero(np.isnan(recording.signal_mv[0])).tolist() == [5, 6, 7, 8]
    assert (recording.signal_mv[1] == 0).all()
    assert np.isnan(recording.signal_mv[2]).all()


def test_channels_of_differing_rates_come_at_the_highest(tmp_path: Path) -> None:
    time = np.arange(2000) / 1000
    fast, slow = np.sin(2 * np.pi * 4 * time), np.sin(2 * np.pi * 4 * time[::4])
    wfdb.wrsamp(
        "r1",
        fs=250,
        units=["mV", "mV"],
        sig_name=["I", "II"],
        e_d_signal=[np.round(fast * 1000).astype(int), np.round(slow * 1000).astype(int)],
        samps_per_frame=[4, 1],
        fmt=["16", "16"],
        adc_gain=[1000.0, 1000.0],
        baseline=[0, 0],
        write_dir=str(tmp_path),
    )
    recording = read_wfdb(tmp_path / "r1")
    assert recording.fs == 1000.0
    np.testing.assert_allclose(recording.signal_mv[0], fast, atol=0.001)
    np.testing.assert_allclose(recording.signal_mv[1, 200:-200], fast[200:-200], atol=0.01)


@pytest.mark.parametrize(
    "header, message",
    [
        pytest.param("", "not a readable", id="empty header"),
        pytest.param("\x00\xff\x12 nonsense", "not a readable", id="binary header"),
        pytest.param("r1 3 500\n", "describes 0", id="signal lines missing"),
        pytest.param("r1 0 500 0\n", "empty", id="no leads"),
        pytest.param("r1 1 500 0\nr1.dat 16 200/mV 16 0 0 0 0 I\n", "empty", id="no samples"),
        pytest.param(
            "r1 2 500 9\nr1.dat 16 200/mV 16 0 0 0 0 I\nr1.dat 16 200/mV 16 0 0 0 0 i\n", "repeat", id="repeats"
        ),
        pytest.param("r1 1 500 9\ngone.dat 16 200/mV 16 0 0 0 0 I\n", "gone.dat is missing", id="signal file missing"),
        pytest.param("r1 3 500 99999\n" + "r1.dat 16 200/mV 16 0 0 0 0 I\n" * 3, "shorter", id="header promises more"),
        pytest.param("r1 1 500 9\nr1.dat 77 200/mV 16 0 0 0 0 I\n", "damaged", id="unknown format"),
    ],
)
def test_a_bad_header_is_one_line_with_the_path(tmp_path: Path, header: str, message: str) -> None:
    path = written(tmp_path)
    path.write_text(header)
    with pytest.raises(RecordError, match=message) as caught:
        read_wfdb(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0, 1, 100, -600, -1])
@pytest.mark.parametrize("fmt", ["16", "212", "516"])
def test_a_truncated_signal_file_is_refused(tmp_path: Path, kept: int, fmt: str) -> None:
    path = (
        as_flac(tmp_path, steps()) if fmt == "516" else record(tmp_path, steps(), ["I", "II", "III"], ["mV"] * 3, fmt)
    )
    signal = tmp_path / "r1.dat"
    signal.write_bytes(signal.read_bytes()[:kept])
    with pytest.raises(RecordError, match=r"damaged or shorter"):
        read_wfdb(path)


@pytest.mark.parametrize("path", ["nothing", "nothing.hea", "nothing.dat", "."])
def test_what_is_not_there(tmp_path: Path, path: str) -> None:
    with pytest.raises(RecordError, match="give"):
        read_wfdb(tmp_path / path)


@pytest.mark.parametrize("fs", [100.0, 500.0, 360.5, 499.7123, 1000 / 3])
def test_round_trip(tmp_path: Path, fs: float) -> None:
    signal = np.random.default_rng(0).normal(size=(3, 700)).astype(np.float32)
    signal[0, 5:9] = np.nan
    signal[1] = np.nan
    made = Recording(("V1", "-aVR", "ECG 1"), fs, signal, metadata={"Age": "61", "Dx": "1: a, b", "comment": "µ-law"})
    path = write_wfdb(made, tmp_path / "new" / "folder", "my-record_1")
    read = read_wfdb(path)
    assert (read.leads, read.fs, read.name) == (made.leads, fs, "my-record_1")
    assert read.metadata == made.metadata
    np.testing.assert_allclose(read.signal_mv, signal, atol=0.0005 + 1e-6)
    assert sorted(p.name for p in path.parent.iterdir()) == ["my-record_1.dat", "my-record_1.hea"]


@pytest.mark.parametrize("peak, step", [(32.7, 0.001), (32.9, 0.01), (400.0, 0.1), (-40.0, 0.01)])
def test_a_lead_out_of_range_gets_a_coarser_step(tmp_path: Path, peak: float, step: float) -> None:
    signal = np.zeros((2, 10), np.float32)
    signal[0, 3] = peak
    signal[1, 3] = 0.1234
    read = read_wfdb(write_wfdb(Recording(("I", "II"), 500.0, signal), tmp_path, "r"))
    assert read.signal_mv[0, 3] == pytest.approx(peak, abs=step / 2 + 1e-4)
    assert read.signal_mv[1, 3] == pytest.approx(0.1234, abs=0.0005)


def test_line_breaks_in_metadata_do_not_break_the_header(tmp_path: Path) -> None:
    made = Recording(("I",), 500.0, np.zeros((1, 5)), metadata={"Note": "one\ntwo\r\nthree"})
    assert read_wfdb(write_wfdb(made, tmp_path, "r")).metadata == {"Note": "one two three"}


def test_a_failed_write_leaves_the_old_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_wfdb(Recording(("I",), 500.0, np.ones((1, 5))), tmp_path, "r")

    def fail(*args: object, **kwargs: object) -> None:
        (Path(str(kwargs["write_dir"])) / "r.dat").write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(wfdb, "wrsamp", fail)
    with pytest.raises(OSError, match="disk full"):
        write_wfdb(Recording(("I",), 500.0, np.zeros((1, 5))), tmp_path, "r")
    assert (read_wfdb(path).signal_mv == 1).all()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["", "a b", "a.b", "../a", "é", "a/b"])
def test_odd_names_are_refused_with_a_proposal(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordError, match="for example"):
        write_wfdb(Recording(("I",), 500.0, np.zeros((1, 5))), tmp_path, name)
    assert list(tmp_path.iterdir()) == []
    write_wfdb(Recording(("I",), 500.0, np.zeros((1, 5))), tmp_path, safe_name(name))


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the project's recordings are not here")
def test_real_recordings_of_each_origin() -> None:
    for folder in sorted((SHARED / "train").iterdir()):
        recording = read_wfdb(min(folder.rglob("*.hea")))
        assert recording.leads == LEADS
        assert recording.fs == 500.0
        assert np.nanmax(np.abs(recording.signal_mv)) < 20
