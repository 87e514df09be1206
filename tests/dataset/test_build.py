from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_pages import SEED, small_plan

from ecgdig.dataset import Encoding, Plan, Recipe, Records, build, files, load, manifest, open_records
from ecgdig.dataset.manifest import FolderError
from ecgdig.dataset.recipe import Look
from ecgdig.io import write_wfdb
from ecgdig.recording import Recording

Content = Callable[[Path], dict[str, bytes]]


def test_the_same_bytes_for_any_number_of_workers(tmp_path: Path, content: Content) -> None:
    for workers in (0, 1, 2):
        report = build(small_plan(5, "scan"), tmp_path / str(workers), workers)
        assert (report.before, report.pages, report.failures) == (0, 5, [])
    first = content(tmp_path / "0")
    assert len(first) > 5 * 5
    assert content(tmp_path / "1") == first
    assert content(tmp_path / "2") == first


def test_nothing_is_made_twice_and_pages_can_be_added(tmp_path: Path, content: Content) -> None:
    build(small_plan(2, "clean"), tmp_path / "a", 0)
    before = content(tmp_path / "a")
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "a" / "images").iterdir()}
    assert build(small_plan(2, "clean"), tmp_path / "a", 0).rate == 0
    assert content(tmp_path / "a") == before
    report = build(small_plan(4, "clean"), tmp_path / "a", 0)
    assert (report.before, report.pages) == (2, 4)
    assert all(p.stat().st_mtime_ns == t for p, t in times.items())
    build(small_plan(4, "clean"), tmp_path / "b", 0)
    assert content(tmp_path / "a") == content(tmp_path / "b")


SCRIPT = f"""
import sys
from pathlib import Path
from ecgdig.dataset import Plan, Recipe, build, open_records
if __name__ == "__main__":
    plan = Plan(Recipe({SEED}, "scan", dpi=60.0, usual_scale=True), open_records([], {SEED}), 40)
    build(plan, Path(sys.argv[1]), int(sys.argv[2]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_a_killed_run_goes_on(workers: int, tmp_path: Path, content: Content) -> None:
    script, folder = tmp_path / "run.py", tmp_path / "pages"
    script.write_text(SCRIPT)
    kills = 0
    for wanted in (1, 12):  # killed after at least so many pages
        process = subprocess.Popen([sys.executable, str(script), str(folder), str(workers)])
        journal = folder / ".journal.jsonl"
        while process.poll() is None and (not journal.is_file() or journal.read_bytes().count(b"\n") < wanted):
            time.sleep(0.01)
        if process.poll() is None:
            kills += 1
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert kills == 2, "the run was over before it could be killed"
    names = {p.name for p in (folder / "images").iterdir() if not p.name.startswith(".")}
    assert 12 <= len(names) < 40
    report = build(small_plan(40, "scan"), folder, 0)
    assert report.before >= 12
    assert report.pages == 40
    build(small_plan(40, "scan"), tmp_path / "whole", 0)
    assert content(folder) == content(tmp_path / "whole")  # none missing, twice, partial or left over


def test_unreadable_records_are_named_and_the_rest_is_done(recording: Recording, tmp_path: Path) -> None:
    records = tmp_path / "records"
    for name in ("a", "b", "c", "d"):
        write_wfdb(recording, records, name)
    (records / "b.dat").write_bytes(b"short")
    write_wfdb(recording.select(("I", "II")), records, "c")
    nothing = Recording(recording.leads, 500.0, np.full((12, 500), np.nan, np.float32))
    write_wfdb(nothing, records, "d")
    recipe = Recipe(0, "clean", layout="3x4", dpi=60)
    report = build(Plan(recipe, open_records([str(records)], 0), 4), tmp_path / "pages", 0)
    assert report.pages == 1
    assert [(label, page) for label, page, _ in report.failures] == [
        ("b", "p000001"),
        ("c", "p000002"),
        ("d", "p000003"),
    ]
    for (_, _, why), reason in zip(report.failures, ("shorter", "has I, II only", "no known sample"), strict=True):
        assert reason in why
        assert "\n" not in why
    assert [entry.row["record"] for entry in load(tmp_path / "pages")] == ["a"]


def test_a_full_disk_is_reported_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        if "p000001" in self.name:
            write(self, data[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))
        return write(self, data)

    monkeypatch.setattr(files.Path, "write_bytes", full)
    report = build(small_plan(3, "clean"), tmp_path / "a", 0)
    assert [failure[:2] for failure in report.failures] == [(f"simulated-{SEED}-1", "p000001")]
    assert "No space left" in report.failures[0][2]
    assert not list((tmp_path / "a").rglob("*p000001*"))
    monkeypatch.undo()
    assert build(small_plan(3, "clean"), tmp_path / "a", 0).pages == 3


def test_a_disk_too_full_for_the_manifest_is_reported_and_the_pages_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: Path, rows: object, columns: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))

    monkeypatch.setattr(manifest, "_write_csv", full)
    report = build(small_plan(2, "clean"), tmp_path / "a", 0)
    assert (report.pages, report.failures) == (2, [])
    assert "No space left" in report.unfinished
    assert "manifest.csv" in report.unfinished
    with pytest.raises(FolderError, match="did not finish"):
        load(tmp_path / "a")
    monkeypatch.undo()
    again = build(small_plan(2, "clean"), tmp_path / "a", 0)
    assert (again.before, again.unfinished) == (2, "")
    assert len(load(tmp_path / "a")) == 2


def test_whole_records_take_as_many_pages_as_they_need(recording: Recording, tmp_path: Path) -> None:
    records = tmp_path / "records"
    long = replace(recording, signal_mv=np.tile(recording.signal_mv, (1, 2)))
    for name, one in (("a", recording), ("b", long), ("c", recording)):
        write_wfdb(one, records, name)
    (records / "c.dat").write_bytes(b"short")
    recipe = Recipe(1, "clean", layout="3x4+1", dpi=40, usual_scale=True, sheets="all", look=Look(("qr=true",)))
    plan = Plan.of_whole_records(recipe, open_records([str(records)], 0), None, Encoding())
    assert plan.sheets[1] > plan.sheets[0] >= 1
    assert plan.sheets[2] == 1
    report = build(plan, tmp_path / "pages", 0)
    assert report.pages == plan.sheets[0] + plan.sheets[1] == plan.n_pages - 1
    assert [label for label, _, _ in report.failures] == ["c"]
    rows = [entry.row for entry in load(tmp_path / "pages")]
    assert [row["sheet"] for row in rows if row["record"] == "b"] == [str(k) for k in range(plan.sheets[1])]
    ends = [entry.truth().page.layout.duration_s for entry in load(tmp_path / "pages") if entry.row["record"] == "b"]
    assert ends[-1] == pytest.approx(long.duration_s)
    assert build(plan, tmp_path / "pages", 0).before == report.pages  # the same command goes on
    few = Plan.of_whole_records(recipe, open_records([str(records)], 0), plan.sheets[0] + 1, Encoding())
    assert (few.n_records, few.pages_of(1)) == (2, range(plan.sheets[0], plan.sheets[0] + 1))


def test_several_pages_of_a_record_differ(tmp_path: Path) -> None:
    build(small_plan(4, "clean", pages_per_record=3), tmp_path, 0)
    rows = [entry.row for entry in load(tmp_path)]
    assert [row["record"] for row in rows] == [f"simulated-{SEED}-{i}" for i in (0, 0, 0, 1)]
    assert len({row["image_sha256"] for row in rows}) == 4


def test_another_seed_is_refused(tmp_path: Path) -> None:
    build(small_plan(1, "clean"), tmp_path, 0)
    other = Plan(Recipe(SEED + 1, "clean", dpi=60, usual_scale=True), open_records([], SEED), 1)
    with pytest.raises(FolderError, match="another command"):
        build(other, tmp_path, 0)


class Deadly:
    """A source that kills whoever reads its second recording."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Recording:
        if index == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return open_records([], SEED)[index]


def test_a_killed_worker_is_one_line(tmp_path: Path) -> None:
    plan = Plan(Recipe(SEED, "clean", dpi=60), Records([("x", Deadly(), None)]), 3)
    with pytest.raises(FolderError, match="worker was killed"):
        build(plan, tmp_path, 1)


@pytest.mark.parametrize("values", [{"n_pages": 0}, {"pages_per_record": 0}])
def test_bad_plans_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="0 pages"):
        small_plan(**values)  # type: ignore[arg-type]


def test_drawing_imports_no_torch(tmp_path: Path) -> None:
    code = SCRIPT.replace(", 40)", ", 3)").replace('"scan"', '"damaged"') + "    assert 'torch' not in sys.modules\n"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path), "0"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
