from __future__ import annotations

import json
from pathlib import Path

import pytest
from ink_net import ink_model

from ecgdig.commands import evaluate
from ecgdig.io import write_wfdb
from ecgdig.sources import Simulator


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(evaluate, "load", lambda name: ink_model())
    monkeypatch.chdir(tmp_path)


def test_tables_and_json_hold_the_same_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate.main(["--limit", "1", "--dpi", "120", "--geometry", "true", "--json", "scores.json"])
    summary = json.loads((tmp_path / "scores.json").read_text())
    printed = capsys.readouterr().out
    assert f"SNR {summary['metrics']['snr_db']['mean']:.2f} ±" in printed
    assert f"{summary['oracle']['snr_db']['mean']:.3f}" in printed
    assert set(summary) >= {"metrics", "per_lead", "failures", "oracle", "pages"}
    for lead in summary["per_lead"]:
        assert f"\n{lead} " in printed


def test_records_of_three_leads_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_wfdb(Simulator(1)[0].select(("I", "II", "V1")), tmp_path / "r", "three")
    with pytest.raises(SystemExit) as stopped:
        evaluate.main(["--records", str(tmp_path / "r")])
    assert stopped.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.parametrize("options", [["--records", "nowhere"], ["--pages", "nowhere"]])
def test_missing_folders_are_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        evaluate.main(options)
    assert stopped.value.code == 2
    assert "nowhere" in capsys.readouterr().err
