from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from ink_net import ink_model

from ecgdig.commands import digitize
from ecgdig.io import read_wfdb
from ecgdig.page import PLAIN, Placement, arrange, lead_plan, render
from ecgdig.page.layout import PAPERS
from ecgdig.recording import Recording


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "real" not in request.keywords:
        monkeypatch.setattr(digitize, "load", lambda name: ink_model())


@pytest.fixture(scope="module")
def scan(smooth: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    layout = arrange(lead_plan("3x4"), PAPERS["letter"], Placement(15, 8, 60, 30), duration_s=10.0)
    file = tmp_path_factory.mktemp("scans") / "my scan.png"
    cv2.imwrite(str(file), render(smooth, layout, PLAIN, 150, np.random.default_rng(0)).image[..., ::-1])
    return file


def test_writes_record_summary_and_overlay(scan: Path, tmp_path: Path) -> None:
    digitize.main([str(scan), "--out", str(tmp_path), "--layout", "3x4"])
    files = {p.suffix: p for p in tmp_path.iterdir()}
    assert set(files) == {".hea", ".dat", ".json", ".png"}
    record = read_wfdb(files[".hea"])
    assert record.fs == 500
    assert len(record.leads) == 12
    assert np.isnan(record.lead("I")[1300:]).all()  # not printed beyond 2.5 s
    summary = json.loads(files[".json"].read_text())
    assert summary["layout"] == "3x4"
    assert summary["px_per_mm"] == pytest.approx(150 / 25.4, rel=1e-3)
    assert set(summary["leads"]) == set(record.leads)
    assert cv2.imread(str(files[".png"])).shape == cv2.imread(str(scan)).shape


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
    assert "text.png" in error[0]
    assert "noise.png" in error[1]
    assert len(list(out.iterdir())) == 4


@pytest.mark.real
def test_an_unreadable_checkpoint_stops_it(scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        digitize.main([str(scan), "--out", str(tmp_path / "out"), "--checkpoint", "no-such"])
    assert stopped.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_equal_names_do_not_overwrite_each_other() -> None:
    names = digitize._names([Path("a/x.png"), Path("b/x.jpg"), Path("c/x.png")])
    assert len(set(names)) == 3
