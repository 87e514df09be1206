from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ink_net import ink_model

from ecgdig.commands import evaluate, render
from ecgdig.dataset import load
from ecgdig.io import write_wfdb
from ecgdig.recording import Recording

SMALL = ["--dpi", "60", "--workers", "0"]


def lines(error: str) -> list[str]:
    """What is on standard error beside progress bars."""
    return [line for line in error.replace("\r", "\n").splitlines() if line.startswith("render:")]


def test_simulated_pages_with_exports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exports = ["--export", "coco", "yolo", "masks", "layers", "--shards", "2"]
    command = ["--out", str(tmp_path / "a"), "--limit", "3", "--preset", "photo", *SMALL]
    render.main([*command, *exports])
    rooms = {p.name for p in (tmp_path / "a").iterdir() if not p.name.startswith(".")}
    assert rooms == {
        "images", "truth", "labels", "masks", "layers", "shards",
        "dataset.json", "manifest.csv", "index.csv", "coco.json", "yolo.yaml",
    }  # fmt: skip
    assert len(load(tmp_path / "a")) == 3
    printed = capsys.readouterr().out
    assert "3 pages (3 new)" in printed
    assert "PTB-XL whole (21,801 pages)" in printed
    render.main(command)  # again: nothing to do
    assert "3 pages (0 new)" in capsys.readouterr().out
    render.main([*command, "--json-lines"])
    told = capsys.readouterr()
    assert json.loads(told.out)["pages"] == 3
    assert told.err == ""


def test_records_options_and_what_fails(
    recording: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = tmp_path / "records"
    for name in ("a", "b"):
        write_wfdb(recording, records, name)
    (records / "b.dat").unlink()
    options = [
        "--layout",
        "6x2",
        "--pages-per-record",
        "2",
        "--format",
        "png",
        "--scale",
        "usual",
        "--seed",
        "4",
        *SMALL,
    ]
    command = [str(records), "--out", str(tmp_path / "pages"), "--preset", "clean", *options]
    with pytest.raises(SystemExit) as stopped:
        render.main(command)
    assert stopped.value.code == 1
    error = lines(capsys.readouterr().err)
    assert len(error) == 3  # one for each page of b, and what to do
    assert error[0].startswith("render: b (p000002)")
    assert "b.dat is missing" in error[0]
    with (tmp_path / "pages" / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["page"], row["record"], row["layout"], row["seed"]) for row in rows] == [
        ("p000000", "a", "6x2", "4"),
        ("p000001", "a", "6x2", "4"),
    ]
    assert rows[0]["image"].endswith(".png")
    write_wfdb(recording, records, "b")
    render.main(command)
    assert len(load(tmp_path / "pages")) == 4


def test_looks_are_those_that_are_asked_for(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("quick\nbrown fox\n")
    looks = ["--style", "place=none", "qr=true", "--pulses", "1", "--black-and-white", "1"]
    marks = ["--strength", "wrinkles=0.6", "noise=0.2", "colour_cast=0", "--words", str(words), "--notes", "2"]
    marks += ["--note-mm", "6", "--note-at", "0.3", "0.5", "--creases", "3", "1", "--crease-angle", "20"]
    marks += ["--rotation", "7", "--margin-mm", "11", "12", "--grids", "0", "--headers", "0"]
    layout = ["--layout", "3x4+1", "--order", "cabrera", "--grid-colour", "blue", "--truth-records", "both"]
    render.main(
        [
            "--out",
            str(tmp_path / "a"),
            "--limit",
            "3",
            "--preset",
            "photo",
            *looks,
            *marks,
            *layout,
            *SMALL[2:],
            "--dpi",
            "50",
            "60",
        ]
    )
    for entry in load(tmp_path / "a"):
        row = entry.row
        assert 50 <= float(row["dpi"]) <= 60
        assert row["style.grid.kind"] == row["style.lettering.place"] == "none"
        assert row["style.furniture.qr"] == "True"
        assert row["style.furniture.pulse"] != "none"
        assert row["style.paper_rgb"] == "255 255 255"
        assert (row["degrade.wrinkles"], row["degrade.noise"], row["degrade.colour_cast"]) == ("0.6", "0.2", "")
        assert row["degrade.handwriting.size_mm"].split()[0] == "6"
        assert len(row["degrade.folds.angle_deg"].split()) == 4
        assert row["degrade.rotation.degrees"] == "7"
        assert 11 <= float(row["margin_mm"]) <= 12
        assert row["style.furniture.header"] == "False"
        assert row["leads"].startswith("aVL II V1 V4 I aVF")
        assert (entry.folder / "truth" / f"{entry.name}_whole.hea").is_file()


@pytest.mark.parametrize(
    "options, why",
    [
        (["nowhere"], "nowhere"),
        (["empty"], "no WFDB records"),
        (["--layout", "7x7"], "7x7"),
        (["--dpi", "3"], "3 dpi"),
        (["--limit", "0"], "0 pages"),
        (["--pages-per-record", "0"], "0 pages per record"),
        (["--quality", "300"], "300"),
        (["--seed", "-1"], "-1"),
        (["--shards", "0"], "0 pages a shard"),
        (["--workers", "-1"], "-1 workers"),
        (["--style", "wet=1"], "'wet' does not exist"),
        (["--strength", "rain=0.5"], "'rain'"),
        (["--strength", "noise"], "NAME=0 to NAME=1"),
        (["--pulses", "2"], "chance 2 of pulses"),
        (["--words", "nowhere.txt"], "nowhere.txt"),
        (["--creases", "99"], "99 and 0 creases"),
        (["--rotation", "270"], "rotation by 270"),
        (["--margin-mm", "1", "2", "3"], "want one number"),
        (["--margin-mm", "900"], "900 to 900 mm"),
        (["--sheets", "all"], "--sheets all wants RECORDS"),
        (["--out", "file"], "is a file"),
        (["--out", "full"], "not empty"),
    ],
)
def test_bad_input_is_one_line(
    options: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("empty", "full"):
        Path(name).mkdir()
    Path("full", "letter.txt").write_text("x")
    Path("file").write_text("x")
    with pytest.raises(SystemExit) as stopped:
        render.main(["--out", "pages", "--limit", "1", *SMALL, *options])
    assert stopped.value.code == 2
    error = lines(capsys.readouterr().err)
    assert len(error) == 1
    assert why in error[0]
    assert not Path("pages").exists()


@pytest.mark.parametrize("what", ["nan", "two leads"])
def test_when_nothing_can_be_made_the_code_is_2(
    what: str, recording: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = recording.select(("I", "II"))
    if what == "nan":
        given = replace(recording, signal_mv=np.full_like(recording.signal_mv, np.nan))
    write_wfdb(given, tmp_path / "records", "r")
    with pytest.raises(SystemExit) as stopped:
        render.main([str(tmp_path / "records"), "--out", str(tmp_path / "pages"), "--layout", "3x4", *SMALL])
    assert stopped.value.code == 2
    assert lines(capsys.readouterr().err)[0].startswith("render: r (p000000)")


def test_other_pages_are_not_mixed_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--out", str(tmp_path / "a"), "--limit", "1", *SMALL]
    render.main(command)
    with pytest.raises(SystemExit) as stopped:
        render.main([*command, "--seed", "9"])
    assert stopped.value.code == 2
    assert len(lines(capsys.readouterr().err)) == 1


def test_the_pages_can_be_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "load", lambda name, runtime: ink_model())
    options = ["--preset", "clean", "--layout", "3x4", "--scale", "usual", "--dpi", "150", "--workers", "0"]
    render.main(["--out", str(tmp_path / "a"), "--limit", "1", *options])
    summary = evaluate.main(["--pages", str(tmp_path / "a"), "--geometry", "true"])
    assert summary["failures"] == []
    assert summary["metrics"]["coverage"]["mean"] > 0.9
    assert summary["oracle"]["snr_db"]["mean"] > 20


def test_help_says_how_to_use_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        render.main(["--help"])
    text = capsys.readouterr().out
    for word in ("manifest.csv", "index.csv", "examples:", "--pages-per-record", "simulator"):
        assert word in text
