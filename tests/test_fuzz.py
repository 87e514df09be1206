"""Whatever is given, the answer is a row with a result or one line of error: no traceback, no partial files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fuzzed import fuzzed_files, odd_arrays
from ink_net import ink_model

from ecgdig.api import digitize
from ecgdig.batch import Request, jobs_of, read_page
from ecgdig.hub import DEFAULT
from ecgdig.page import PLAIN, Placement, arrange, lead_plan, render
from ecgdig.page.layout import PAPERS
from ecgdig.recording import Recording


def test_files_give_a_result_or_a_line(recording: Recording, tmp_path: Path) -> None:
    layout = arrange(lead_plan("3x4"), PAPERS["a5"], Placement(15, 5, 40, 30), duration_s=6.0)
    page = render(recording, layout, PLAIN, 75, np.random.default_rng(0)).image
    request = Request(tmp_path / "out", DEFAULT, formats=("npz",))
    (tmp_path / "in").mkdir()
    for file in fuzzed_files(page, tmp_path / "in", 32):
        jobs, rows = jobs_of([str(file)])
        rows += [read_page(job, request, ink_model()) for job in jobs]
        assert rows
        for row in rows:
            assert row.error.count("\n") == 0
            assert (row.status == "failed") == bool(row.error)
            assert "internal error" not in row.error, row.error
    assert not [p for p in (tmp_path / "out").glob("*") if ".tmp" in p.name]


@pytest.mark.parametrize("index", range(len(odd_arrays())))
def test_objects_give_a_line(index: int) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        digitize(odd_arrays()[index], checkpoint=ink_model())  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
