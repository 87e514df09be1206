from __future__ import annotations

from itertools import count
from pathlib import Path

import numpy as np
import pytest
from readings import folders, reading, recording

from ecgdig.io import write_csv, write_wfdb
from ecgdig.metrics import score_recording
from ecgdig.scoring.predictions import match, scored_pairs


def _scored(read: Path | str, truth: Path | str) -> dict[str, object]:
    pairs, _ = match(Path(read), Path(truth))
    return {scored.result.score.name: scored.result for scored in scored_pairs(pairs, count())}


def test_records_and_tables_of_any_order_and_rate_are_scored(tmp_path: Path) -> None:
    read, truth = folders(tmp_path)
    found = _scored(read, truth)
    assert list(found) == [f"page{i}" for i in range(5)]
    for i in range(4):
        expected = score_recording(recording(i), reading(recording(i), 0.02 * (i + 1), i))
        assert found[f"page{i}"].score.page["snr_db"] == pytest.approx(expected.page["snr_db"], abs=0.3)
    assert found["page1"].score.sigma_hits  # a table holds error bars
    assert not found["page0"].score.sigma_hits


def test_missing_and_damaged_ones_fail_and_strays_are_named(tmp_path: Path) -> None:
    read, truth = folders(tmp_path)
    (tmp_path / "read" / "page3.csv").write_text("time_s,I\n0,one\n1,two\n")
    write_csv(recording(2).crop(50, 1), tmp_path / "read" / "page2.csv")  # wins over the record, and holds nothing
    assert match(Path(read), Path(truth))[1] == ["stray"]
    found = _scored(read, truth)
    for name, reason in (("page4", "page4 with .hea, .csv"), ("page3", "'one'"), ("page2", "no known sample")):
        assert found[name].score.failed
        assert found[name].score.page["snr_db"] == 0
        assert reason in found[name].error
    assert not found["page1"].score.failed


def test_an_index_names_the_pages_and_what_they_print(tmp_path: Path) -> None:
    folders(tmp_path, 3)
    index = "image,truth,layout\nscans/one.png,page0,3x4\nscans/two.png,page1,\n"
    (tmp_path / "truth" / "index.csv").write_text(index)
    (tmp_path / "truth" / "manifest.csv").write_text("image,preset,dpi\nscans/one.png,scan,100\n")
    write_wfdb(recording(0), tmp_path / "read", "one")
    pairs, extra = match(tmp_path / "read", tmp_path / "truth")
    assert [(p.name, p.prediction and p.prediction.name) for p in pairs] == [("one", "one.hea"), ("two", "page1.csv")]
    assert pairs[0].facts == {"preset": "scan", "layout": None, "dpi": 100.0, "degradations": None}
    assert extra == ["page0", "stray"]
    first = next(scored_pairs(pairs, count()))
    assert np.isfinite(first.truth.lead("V1")).mean() == pytest.approx(0.25)


def test_folders_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    read, truth = folders(tmp_path, 2)
    (tmp_path / "empty").mkdir()
    for wrong in ("nowhere", "empty"):
        with pytest.raises(ValueError, match=rf"{wrong}: .*--predictions"):
            match(tmp_path / wrong, Path(truth))
        with pytest.raises(ValueError, match=rf"{wrong}: .*--truth"):
            match(Path(read), tmp_path / wrong)
    write_wfdb(recording(0), tmp_path / "truth" / "more", "page0")
    with pytest.raises(ValueError, match="have one name"):
        match(Path(read), Path(truth))
