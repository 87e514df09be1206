from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from ink_net import ink_model

from ecgdig.commands import digitize
from ecgdig.formats import read_recording
from ecgdig.io import read_wfdb
from ecgdig.page import PLAIN, Placement, arrange, lead_plan, render
from ecgdig.page.layout import PAPERS
from ecgdig.recording import Recording


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "real" not in request.keywords:
        monkeypatch.setattr(digitize, "load", lambda name, **how: ink_model())


@pytest.fixture(scope="module")
def scan(smooth: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    layout = arrange(lead_plan("3x4"), PAPERS["letter"], Placement(15, 8, 60, 30), duration_s=10.0)
    file = tmp_path_factory.mktemp("scans") / "my scan.png"
    cv2.imwrite(str(file), render(smooth, layout, PLAIN, 150, np.random.default_rng(0)).image[..., ::-1])
    return file


def test_writes_record_summary_and_overlay(scan: Path, tmp_path: Path) -> None:
    digitize.main([str(scan), "--out", str(tmp_path), "--layout", "3x4"])
    files = {p.suffix: p for p in tmp_path.iterdir() if p.name not in {"summary.csv", "my_scan.csv"}}
    assert set(files) == {".hea", ".dat", ".npz", ".json", ".png"}
    record = read_wfdb(files[".hea"])
    assert record.fs == 500
    assert len(record.leads) == 12
    assert np.isnan(record.lead("I")[1300:]).all()  # not printed beyond 2.5 s
    summary = json.loads(files[".json"].read_text())
    assert summary["layout"] == "3x4"
    assert summary["px_per_mm"] == pytest.approx(150 / 25.4, rel=1e-3)
    assert set(summary["leads"]) == set(record.leads)
    assert cv2.imread(str(files[".png"])).shape == cv2.imread(str(scan)).shape


def test_formats_are_chosen(scan: Path, tmp_path: Path) -> None:
    command = [str(scan), "--out", str(tmp_path), "--layout", "3x4", "--workers", "1", "--formats"]
    digitize.main([*command, "dicom", "aecg,edf"])
    names = {"my_scan.dcm", "my_scan.aecg.xml", "my_scan.edf", "my_scan.json", "my_scan_overlay.png", "summary.csv"}
    assert {file.name for file in tmp_path.iterdir()} == names
    assert read_recording(tmp_path / "my_scan.dcm").fs == 500
    assert "0" * 64 in (tmp_path / "my_scan.aecg.xml").read_text()  # the checkpoint of the stand-in


def test_bad_images_are_named_and_the_rest_is_done(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    noise = tmp_path / "noise.png"
    cv2.imwrite(str(noise), np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8))
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as stopped:
        digitize.main([str(text), str(noise), str(scan), "--out", str(out), "--layout", "3x4"])
    assert stopped.value.code == 1
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 3  # one line each, and how many
    # workers finish in any order
    assert sorted(name for name in ("noise.png", "text.png") for line in error[:2] if name in line) == [
        "noise.png",
        "text.png",
    ]
    assert len(list(out.iterdir())) == 7
    table = list(csv.DictReader((out / "summary.csv").open()))
    assert [row["status"] for row in table] == ["failed", "failed", "doubtful"]  # slow sine waves are no ECG
    assert "not a picture" in table[0]["error"]
    assert table[2]["layout"] == "3x4"


@pytest.mark.real
def test_an_unreadable_checkpoint_stops_it(scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        digitize.main([str(scan), "--out", str(tmp_path / "out"), "--checkpoint", "no-such"])
    assert stopped.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_what_is_done_is_kept_unless_it_changed(scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy, out = tmp_path / "page.png", tmp_path / "out"
    copy.write_bytes(scan.read_bytes())
    command = [str(copy), "--out", str(out), "--layout", "3x4", "--format", "npz"]
    digitize.main(command)
    assert {p.suffix for p in out.iterdir()} == {".npz", ".json", ".png", ".csv"}
    first = (out / "page.npz").stat().st_mtime_ns
    digitize.main(command)
    assert (out / "page.npz").stat().st_mtime_ns == first
    assert "kept" in capsys.readouterr().out
    assert len(list(csv.DictReader((out / "summary.csv").open()))) == 1
    cv2.imwrite(str(copy), cv2.imread(str(copy))[5:])  # another picture under the same name
    digitize.main(command)
    assert (out / "page.npz").stat().st_mtime_ns > first


def test_redacted_overlays_show_no_words(smooth: Recording, tmp_path: Path) -> None:
    layout = arrange(lead_plan("3x4"), PAPERS["letter"], Placement(15, 8, 80, 30), duration_s=10.0)
    page = render(smooth, layout, PLAIN, 150, np.random.default_rng(0))
    word = next(mark for mark in page.marks if mark.kind == "header")
    (x0, y0), (x1, y1) = page.warp.to_px([word.box_mm[:2], word.box_mm[2:]]).astype(int).tolist()
    cv2.imwrite(str(tmp_path / "page.png"), page.image[..., ::-1])
    darkest = []
    for more in ([], ["--redact", "--overwrite"]):
        digitize.main([str(tmp_path / "page.png"), "--out", str(tmp_path / "out"), "--layout", "3x4", *more])
        darkest.append(int(cv2.imread(str(tmp_path / "out" / "page_overlay.png"))[y0:y1, x0:x1].min()))
    assert darkest[0] < 170 < 200 < darkest[1]


def test_json_lines_hold_what_the_summary_holds(scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digitize.main([str(scan), "--out", str(tmp_path), "--layout", "3x4", "--json-lines"])
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["layout"] == "3x4"
    digitize.main([str(scan), "--out", str(tmp_path), "--layout", "3x4", "--overwrite", "--quiet"])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--format", "xml"], "wfdb, csv, npz"),
        (["--formats", "wfdb", "xml"], "unknown format xml"),
        (["--layout", "7x7"], "3x4"),
        (["--gain", "-3"], "gain"),
        (["--speed", "nan"], "speed"),
        (["--leads", "I,,II"], "lead names"),
        (["--workers", "0"], "workers"),
    ],
)
def test_bad_options_are_named(
    scan: Path, tmp_path: Path, options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        digitize.main([str(scan), "--out", str(tmp_path / "out"), *options])
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err


def test_help_says_what_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        digitize.main(["--help"])
    text = capsys.readouterr().out
    assert all(word in text for word in ("NAME.csv", "summary.csv", "--leads", "--workers", "exit code", "mV"))
