from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import pytest
from ink_net import ink_model
from readings import folders

from ecgdig.commands import evaluate
from ecgdig.commands.main import main as ecgdig
from ecgdig.commands.voice import Voice
from ecgdig.io import write_wfdb
from ecgdig.scoring.cases import rendered_cases
from ecgdig.sources import Simulator

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(evaluate, "load", lambda name, runtime: ink_model())
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
    assert summary["checkpoint"] == {"name": "ink", "sha256": "0" * 64}
    assert summary["pages"][0]["preset"] == "clean"
    assert summary["pages"][0]["dpi"] == 120


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


SMALL = ["--dpi", "80", "--geometry", "true", "--layout", "all"]


def _plain(summary: dict[str, Any]) -> dict[str, Any]:
    """Without the command, which says --resume or not."""
    return {key: value for key, value in json.loads(json.dumps(summary)).items() if key != "command"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder with run.jsonl and whole.html of three pages, rendered, read and scored in one go, and the summary."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "load", lambda name, runtime: ink_model())
        patch.chdir(folder)
        return folder, evaluate.main([*SMALL, "--limit", "3", "--resume", "run.jsonl", "--html", "whole.html"])


def _is_the_same(folder: Path, again: dict[str, Any], whole: tuple[Path, dict[str, Any]]) -> None:
    """Journal, numbers and report, after a stop, are those of the evaluation in one go."""
    undisturbed, summary = whole
    assert _plain(again) == _plain(summary)
    assert (folder / "run.jsonl").read_bytes() == (undisturbed / "run.jsonl").read_bytes()
    pages = [file.read_text() for file in (undisturbed / "whole.html", folder / "again.html")]
    assert pages[0].replace("whole.html", "") == pages[1].replace("again.html", "")
    assert pages[0].count("data:image/jpeg") == 3  # an overlay of each


AGAIN = [*SMALL, "--limit", "3", "--resume", "run.jsonl", "--html", "again.html"]


def test_a_cut_evaluation_goes_on_to_the_same_numbers(
    tmp_path: Path, whole: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    journal = tmp_path / "run.jsonl"
    lines = (whole[0] / "run.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) == 4
    journal.write_bytes(b"".join(lines[:3]) + lines[3][:77])
    _is_the_same(tmp_path, evaluate.main(AGAIN), whole)
    assert "pages finished before: 2" in capsys.readouterr().err
    fewer = evaluate.main([*SMALL, "--limit", "2", "--resume", "run.jsonl"])
    assert len(fewer["pages"]) == 2
    with pytest.raises(SystemExit):
        evaluate.main([*SMALL, "--preset", "scan", "--limit", "2", "--resume", "run.jsonl"])
    assert "of another evaluation" in capsys.readouterr().err


def _killed(command: list[str], journal: Path, pages: int) -> int:
    """Start an evaluation, kill it as soon as so many pages are finished, and say how many are."""
    path = os.pathsep.join(filter(None, [str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH")]))
    run = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 300
    while run.poll() is None and time.monotonic() < until and not _has_lines(journal, 1 + pages):
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    return journal.read_text().count("\n") - 1


def test_a_killed_evaluation_of_rendered_pages_goes_on(tmp_path: Path, whole: tuple[Path, dict[str, Any]]) -> None:
    script = (
        "import sys; from ink_net import ink_model; from ecgdig.commands import evaluate; "
        "evaluate.load = lambda name, runtime: ink_model(); evaluate.main(sys.argv[1:])"
    )
    done = _killed([sys.executable, "-c", script, *AGAIN], tmp_path / "run.jsonl", 1)
    assert 1 <= done < 3
    assert not (tmp_path / "again.html").exists()
    _is_the_same(tmp_path, evaluate.main(AGAIN), whole)


def test_a_killed_evaluation_of_predictions_goes_on(tmp_path: Path) -> None:
    read, truth = folders(tmp_path, 7)
    options = ["--predictions", read, "--truth", truth]
    journal = tmp_path / "run.jsonl"
    command = [sys.executable, str(ROOT / "scripts" / "eval_snr.py"), *options, "--resume", str(journal)]
    assert 1 <= _killed(command, journal, 1) < 7
    resumed = evaluate.main([*options, "--resume", str(journal)])
    assert _plain(resumed) == _plain(evaluate.main(options))


def _has_lines(file: Path, n: int) -> bool:
    return file.is_file() and file.read_bytes().count(b"\n") >= n


def test_predictions_are_scored_without_torch(tmp_path: Path) -> None:
    read, truth = folders(tmp_path, 3)
    script = (
        "import sys; from ecgdig.commands.evaluate import main; main(sys.argv[1:]); assert 'torch' not in sys.modules"
    )
    files = ["--json", "s.json", "--html", "s.html", "--csv", "s.csv", "--markdown", "s.md"]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-c", script, "--predictions", read, "--truth", truth, *files]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["failures"] == ["page2"]
    assert summary["extra"] == ["stray"]
    assert f"SNR {summary['metrics']['snr_db']['mean']:.2f} ±" in done.stdout
    assert "page2: no prediction of that name" in done.stdout
    assert "predictions without a truth: 1 (stray)" in done.stdout
    assert summary["command"].startswith("python scripts/eval_snr.py --predictions ")
    html = (tmp_path / "s.html").read_text()
    assert html.count("<img") == 2  # what was read of two pages
    assert "http" not in html
    assert f"<td>{summary['metrics']['snr_db']['mean']:.3f}</td>" in html
    with (tmp_path / "s.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 3 * 13
    assert "no prediction of that name" in (tmp_path / "s.md").read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["read", "s.csv", "s.html", "s.json", "s.md", "truth"]


def test_two_results_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, n in (("a", 3), ("b", 4)):
        read, truth = folders(tmp_path / name, n)
        evaluate.main(["--predictions", read, "--truth", truth, "--json", f"{name}.json"])
    capsys.readouterr()
    files = ["--json", "c.json", "--html", "c.html", "--csv", "c.csv", "--markdown", "c.md"]
    comparison = evaluate.main(["--compare", "a.json", "b.json", *files])
    assert json.loads((tmp_path / "c.json").read_text()) == comparison
    snr = comparison["metrics"]["snr_db"]
    assert (snr["wins"], snr["losses"], snr["ties"]) == (1, 0, 2)  # page2 is missing in A
    printed = capsys.readouterr().out
    assert f"{snr['difference']:.3f}" in printed
    assert "only in B: page3" in printed
    for name in ("c.html", "c.md"):
        assert f"{snr['difference']:.3f}" in (tmp_path / name).read_text()
    assert len((tmp_path / "c.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--predictions", "x"], "--truth"),
        (["--truth", "x"], "--predictions"),
        (["--predictions", "nowhere", "--truth", "nowhere"], "nowhere"),
        (["--compare", "a.json", "nowhere.json"], "a.json"),
        (["--compare", "a.json", "b.json", "--resume", "c"], "--resume"),
        (["--compare", "a.json", "b.json", "--checkpoint", "c"], "--checkpoint c"),
        (["--limit", "0"], "--limit 0"),
        (["--dpi", "-3"], "--dpi -3"),
        (["--html", "."], "--html '.'"),
        (["--checkpoint", "x", "--resume", "notes.txt"], "notes.txt"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    options: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("notes\n")
    with pytest.raises(SystemExit) as stopped:
        evaluate.main(options)
    assert stopped.value.code == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]  # argparse puts its usage before
    assert message.startswith("eval_snr: ")
    assert named in message


FILES = ["--json", "s.json", "--csv", "s.csv", "--markdown", "s.md", "--html", "s.html"]


def _four_pages(folder: Path) -> None:
    """A page without readable truth, a damaged picture, one that is gone, and at last one that can be read."""
    (case,) = rendered_cases(Simulator(1, seed=3), "clean", ("3x4",), 100, 1)
    write_wfdb(case.truth, folder, "truth")
    cv2.imwrite(str(folder / "good.png"), case.image[..., ::-1])
    (folder / "cut.png").write_bytes((folder / "good.png").read_bytes()[:3000])
    (folder / "bad.hea").write_text("bad 12 500 5000\n")
    (folder / "index.csv").write_text("image,truth\nuntold.png,bad\ncut.png,truth\ngone.png,truth\ngood.png,truth\n")


def test_what_cannot_be_read_is_named_and_the_rest_is_finished(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _four_pages(tmp_path / "pages")
    with pytest.raises(SystemExit) as stopped:
        ecgdig(["eval", "--pages", "pages", "--resume", "run.jsonl", *FILES])
    assert stopped.value.code == 1
    summary = json.loads((tmp_path / "s.json").read_text())
    assert [page["name"] for page in summary["pages"]] == ["cut", "gone", "good"]
    assert summary["failures"] == ["cut", "gone"]
    assert "cut.png: damaged picture" in summary["errors"]["cut"]
    assert "gone.png: no such file" in summary["errors"]["gone"]
    good = summary["pages"][2]["metrics"]
    assert good["snr_db"] > 3
    assert summary["metrics"]["snr_db"]["mean"] == pytest.approx(good["snr_db"] / 3)  # the others are 0 dB
    assert list(summary["unscored"]) == ["untold"]
    said = capsys.readouterr()
    assert "failures: 2\n  cut: pages/cut.png: damaged picture" in said.out
    assert "\nnot scored: 1\n  untold: pages/bad" in said.out
    assert "cut: failed: pages/cut.png: damaged picture" in said.err
    assert "untold: not scored: pages/bad" in said.err
    assert "2 failures, 1 not scored.</p>" in (tmp_path / "s.html").read_text()
    for file in ("s.csv", "s.md", "s.html", "run.jsonl"):
        assert "cut.png: damaged picture" in (tmp_path / file).read_text()
    for file in ("s.md", "s.html"):
        assert "Not scored, in none of the numbers" in (tmp_path / file).read_text()
    again = evaluate.main(["--pages", "pages", "--resume", "run.jsonl"])
    for key in ("errors", "unscored", "metrics", "pages"):
        assert again[key] == summary[key]


def test_predictions_without_a_readable_truth_are_passed_over(tmp_path: Path) -> None:
    read, truth = folders(tmp_path, 4)
    (tmp_path / "truth" / "page1.dat").write_bytes(b"")
    (tmp_path / "read" / "page0.dat").unlink()
    summary = evaluate.main(["--predictions", read, "--truth", truth])
    assert list(summary["unscored"]) == ["page1"]
    assert summary["failures"] == ["page0"]
    assert [page["name"] for page in summary["pages"]] == ["page0", "page2", "page3"]
    assert evaluate.exit_code(summary) == 1
    assert evaluate.exit_code({**summary, "failures": [], "unscored": {}}) == 0


def test_one_damaged_recording_is_passed_over(tmp_path: Path) -> None:
    for i, name in enumerate(("a", "b", "c")):
        write_wfdb(Simulator(3)[i], tmp_path / "records", name)
    (tmp_path / "records" / "b.dat").write_bytes(b"")
    summary = evaluate.main(["--records", "records", *SMALL])
    assert [page["name"] for page in summary["pages"]] == ["a", "c"]
    (reason,) = summary["unscored"].values()
    assert "b" in reason


def test_where_no_truth_can_be_read_nothing_is_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read, truth = folders(tmp_path, 2)
    for file in (tmp_path / "truth").glob("*.dat"):
        file.write_bytes(b"")
    with pytest.raises(SystemExit) as stopped:
        evaluate.main(["--predictions", read, "--truth", truth])
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "of 2 pages none could be scored" in line


def test_json_lines_and_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read, truth = folders(tmp_path, 3)
    evaluate.main(["--predictions", read, "--truth", truth, "--json-lines"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("page") for line in lines[:-1]] == ["page0", "page1", "page2"]
    assert lines[-1]["summary"]["metrics"]["snr_db"]["mean"] > 0
    evaluate.main(["--predictions", read, "--truth", truth, "--quiet"])
    said = capsys.readouterr()
    assert said.out == ""
    assert "failed" in said.err  # the last page has no prediction
    assert len(said.err.splitlines()) == 1


def test_a_bar_says_how_many_pages_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, truth = folders(tmp_path, 4)
    options = ["--predictions", read, "--truth", truth, "--resume", "run.jsonl"]
    evaluate.main([*options, "--limit", "1"])
    assert "%|" not in capsys.readouterr().err  # not on a terminal
    monkeypatch.setattr(Voice, "shows_progress", True)
    evaluate.main(options)
    said = capsys.readouterr().err
    assert "25%|" in said
    assert "| 1/4 [" in said
    lines = [line.split("\r")[-1] for line in said.splitlines()]  # as a terminal shows them, the bar wiped away
    assert [line.split(":")[0] for line in lines if line.startswith("  page")] == ["  page1", "  page2", "  page3"]


def test_of_ptb_xl_the_test_fold_is_scored(tmp_path: Path) -> None:
    lines = ["ecg_id,strat_fold,filename_lr,filename_hr"]
    for i, fold in enumerate((1, 10)):
        write_wfdb(Simulator(2, seed=1)[i], tmp_path / "x" / "records500", f"{i}_hr")
        write_wfdb(Simulator(2, seed=1)[i].resample(100), tmp_path / "x" / "records100", f"{i}_lr")
        lines.append(f"{i},{fold},records100/{i}_lr,records500/{i}_hr")
    (tmp_path / "x" / "ptbxl_database.csv").write_text("\n".join(lines))
    summary = evaluate.main(["--records", "x", "--dpi", "100", "--geometry", "true"])
    assert [page["name"] for page in summary["pages"]] == ["1_hr"]
