from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from readings import results

from ecgdig.report.scores import tables
from ecgdig.scoring.comparison import compare, read_summary
from ecgdig.scoring.results import summary_of


@pytest.fixture(scope="module")
def pair() -> tuple[dict[str, Any], dict[str, Any]]:
    return summary_of(results()), summary_of(results(noise_mv=0.02))


def test_less_noise_wins_on_every_page_that_was_read(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    found = compare(*pair)
    snr = found["metrics"]["snr_db"]
    assert (snr["wins"], snr["losses"], snr["ties"], snr["pages"]) == (5, 0, 1, 6)
    differences = [row["snr_db"] for row in found["pages"].values()]
    assert differences[:5] == pytest.approx([3.52] * 5, abs=0.01)  # 20 log10(3 / 2)
    assert differences[5] == 0
    assert snr["difference"] == pytest.approx(sum(differences) / 6)
    assert snr["b"] - snr["a"] == pytest.approx(snr["difference"])
    assert snr["interval"][0] < snr["difference"] < snr["interval"][1]
    rmse = found["metrics"]["rmse_mv"]
    assert (rmse["wins"], rmse["losses"], rmse["pages"]) == (5, 0, 5)  # not defined on the failure
    assert list(found["pages"].values())[5]["rmse_mv"] is None


def test_the_other_way_round_everything_turns(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    forth, back = compare(*pair)["metrics"], compare(*pair[::-1])["metrics"]
    for name, row in forth.items():
        assert row["difference"] == pytest.approx(-back[name]["difference"])
        assert (row["wins"], row["losses"]) == (back[name]["losses"], back[name]["wins"])


def test_pages_of_one_only_are_named(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    a, b = pair
    fewer = {**b, "pages": b["pages"][1:]}
    found = compare(a, fewer)
    assert found["only_a"] == [a["pages"][0]["name"]]
    assert (found["only_b"], len(found["pages"])) == ([], 5)
    with pytest.raises(ValueError, match="no page in common"):
        compare(a, {**b, "pages": []})


def test_pages_of_one_name_are_matched_in_order(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    a, b = ({**x, "pages": [{**page, "name": "same"} for page in x["pages"]]} for x in pair)
    found = compare(a, b)
    assert list(found["pages"])[:3] == ["same", "same (2)", "same (3)"]
    assert found["metrics"] == compare(*pair)["metrics"]


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"pages": [{"name": "a", "metrics": {}}]}'])
def test_other_files_are_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=r"a\.json: .*--json wrote"):
        read_summary(tmp_path / "a.json")


def test_a_result_reads_back(tmp_path: Path, pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    (tmp_path / "a.json").write_text(json.dumps(pair[0]))
    assert read_summary(tmp_path / "a.json") == pair[0]


def test_a_result_from_before_qt_was_compared_is_still_read(
    tmp_path: Path, pair: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    old = json.loads(json.dumps(pair[0]))
    for metrics in (old["metrics"], old["intervals"], *(page["metrics"] for page in old["pages"])):
        del metrics["qt_error_s"], metrics["qrs_duration_error_s"]
    (tmp_path / "old.json").write_text(json.dumps(old))
    found = compare(read_summary(tmp_path / "old.json"), pair[1])
    assert found["metrics"]["qt_error_s"]["difference"] is None
    assert found["metrics"]["snr_db"] == compare(*pair)["metrics"]["snr_db"]
    assert "qt_error_s" not in tables({"what": "old", **old})
