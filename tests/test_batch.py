from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ink_net import ink_model
from PIL import Image

from ecgdig import batch
from ecgdig.batch import Job, Request, Row, jobs_of, read_page, run
from ecgdig.formats import write_recording
from ecgdig.hub import DEFAULT
from ecgdig.recording import Recording

WHITE = Image.new("RGB", (120, 100), "white")


def test_every_page_of_every_file_is_a_job_of_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("x.png", "x.jpg", "notes.txt"):
        WHITE.save(tmp_path / "a" / name, "PNG")
    WHITE.save(tmp_path / "two.tif", save_all=True, append_images=[WHITE])
    jobs, bad = jobs_of([str(tmp_path / "a"), str(tmp_path / "two.tif"), str(tmp_path / "gone"), str(tmp_path)])
    assert [job.name for job in jobs] == ["x", "x-2", "two_p1", "two_p2", "two_p1-2", "two_p2-2"]
    assert [(job.page, job.pages) for job in jobs[2:4]] == [(1, 2), (2, 2)]
    assert len(bad) <= 1


def test_files_that_are_not_there_are_rows(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    _, bad = jobs_of([str(tmp_path / "gone.png"), str(tmp_path / "empty")])
    assert [row.status for row in bad] == ["failed", "failed"]
    assert "no such file" in bad[0].error
    assert "no picture" in bad[1].error


def test_own_overlays_are_not_read_again(tmp_path: Path) -> None:
    WHITE.save(tmp_path / "x.png")
    WHITE.save(tmp_path / "x_overlay.png")
    assert len(jobs_of([str(tmp_path)])[0]) == 2
    (tmp_path / "x.json").write_text("{}")
    assert [job.name for job in jobs_of([str(tmp_path)])[0]] == ["x"]


def test_what_is_no_page_of_a_folder_is_passed_over(tmp_path: Path) -> None:
    write_recording(Recording(("I",), 500.0, np.zeros((1, 500))), tmp_path / "x", ["dicom", "pdf"])
    WHITE.save(tmp_path / "y.png")
    assert [job.name for job in jobs_of([str(tmp_path)])[0]] == ["x_reprint", "y"]
    (tmp_path / "x.json").write_text("{}")  # the reprint is a result too
    assert [job.name for job in jobs_of([str(tmp_path)])[0]] == ["y"]


def test_no_result_overwrites_its_own_source(tmp_path: Path) -> None:
    (tmp_path / "x.dcm").write_bytes(b"page")
    request = Request(tmp_path, DEFAULT, formats=("csv", "dicom"))
    row = read_page(Job(tmp_path / "x.dcm", 1, 1, "x"), request, ink_model())
    assert row.status == "failed"
    assert "would be overwritten by its own result" in row.error
    assert (tmp_path / "x.dcm").read_bytes() == b"page"


def test_an_unexpected_error_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise IndexError("list index\nout of range")

    monkeypatch.setattr(batch, "digitize", fails)
    row = read_page(Job(tmp_path / "x.png", 1, 1, "x"), Request(tmp_path, DEFAULT), ink_model())
    assert row.status == "failed"
    assert "internal error (IndexError" in row.error
    assert "\n" not in row.error


@pytest.mark.slow
def test_processes_give_the_rows_of_one(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
    for i in range(3):
        Image.fromarray(noise).save(tmp_path / f"{i}.png")
    jobs, _ = jobs_of([str(tmp_path)])
    rows = dict(run(jobs, Request(tmp_path / "out", DEFAULT), ink_model(), 2))
    assert set(rows) == set(jobs)
    assert {row.status for row in rows.values()} == {"failed"}
    assert all(job.path.name in row.error for job, row in rows.items())


def test_summary_has_a_line_a_page(tmp_path: Path) -> None:
    batch.write_summary([Row("a.png", 1, "a", "ok", "3x4", 1.5, 0.01, 0.99, "x; y")], tmp_path / "s.csv")
    lines = (tmp_path / "s.csv").read_text().splitlines()
    assert lines[0] == "file,page,name,status,layout,seconds,sigma_mv,coverage,warnings,error"
    assert lines[1] == "a.png,1,a,ok,3x4,1.5,0.01,0.99,x; y,"
