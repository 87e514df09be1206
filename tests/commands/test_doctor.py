from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ink_net import ink_model

from ecgdig import hub
from ecgdig.commands import doctor
from ecgdig.commands.doctor import Finding
from ecgdig.hub import files, parts


def test_a_whole_checkpoint_is_told_from_a_damaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = files.DEFAULT
    whole = files.released(name)
    assert whole is not None
    shutil.copytree(whole, tmp_path / name)
    monkeypatch.setattr(files, "FOLDERS", (tmp_path,))
    assert doctor.checkpoint_state(name).state == "ok"
    there = [file.name for file in (tmp_path / name).iterdir()]
    weights = tmp_path / name / parts.stored(files.WEIGHTS, there)[-1]
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    found = doctor.checkpoint_state(name)
    assert (found.state, bool(found.remedy)) == ("bad", True)
    assert files.WEIGHTS in found.said


def test_a_missing_library_is_bad_and_named() -> None:
    found = doctor.packages(("numpy", "no-such-library"))
    assert found.state == "bad"
    assert "no-such-library" in found.remedy


def test_the_self_test_reads_a_page_and_fails_with_a_network_that_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "load", lambda name: ink_model())
    assert doctor.self_test().state == "bad"  # the stand-in takes grid lines for ink
    monkeypatch.setattr(hub, "load", lambda name: 1 / 0)
    assert "ZeroDivisionError" in doctor.self_test().said


@pytest.mark.slow
def test_the_self_test_passes_with_the_released_checkpoint() -> None:
    doctor.self_test()  # kernels are compiled, libraries loaded
    found = doctor.self_test(clock=time.process_time)
    assert found.state == "ok"
    assert "compiled" not in found.said
    assert float(found.said.split(" in ")[1].removesuffix(" s")) < 10


@pytest.mark.slow
def test_what_a_first_run_compiles_is_named_apart(tmp_path: Path) -> None:
    """In a process of its own, with nowhere to find kernels that were compiled before."""
    code = "from ecgdig.commands import doctor; print(doctor.self_test().said)"
    cold = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    said = subprocess.run([sys.executable, "-c", code], env=cold, capture_output=True, text=True, check=True).stdout
    assert "kernels were compiled" in said


def test_kernels_that_cannot_be_kept_say_where_to_put_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> None:
        raise RuntimeError("cannot cache function 'best_path': no locator available for file 'vectorize.py'")

    monkeypatch.setattr(hub, "load", load)
    assert "NUMBA_CACHE_DIR" in doctor.self_test().remedy


def test_json_lines_and_exit_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    bad = Finding("disk", "bad", "full", "free some")
    monkeypatch.setattr(doctor, "findings", lambda checkpoint: iter([Finding("cores", "ok", "2"), bad]))
    with pytest.raises(SystemExit) as stopped:
        doctor.main(["--json-lines"])
    assert stopped.value.code == 1
    assert [json.loads(line)["state"] for line in capsys.readouterr().out.splitlines()] == ["ok", "bad"]
    with pytest.raises(SystemExit):
        doctor.main(["--quiet"])
    assert capsys.readouterr().out.splitlines()[0].startswith("bad")
