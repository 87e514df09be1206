from __future__ import annotations

from pathlib import Path

import pytest

from ecgdig.commands.evaluate_options import parse


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--predictions", "a"], "--predictions DIR and --truth DIR belong together"),
        (["--truth", "a"], "--predictions DIR and --truth DIR belong together"),
        (["--limit", "0"], "--limit 0: want 1 or more pages"),
        (["--dpi", "-3"], "--dpi -3: want a positive number"),
        (["--json", "."], "--json '.': is a folder"),
        (["--predictions", "a", "--truth", "b", "--checkpoint", "c"], "--checkpoint c: nothing is read with it"),
        (["--compare", "a.json", "b.json", "--wandb", "p"], "--compare reads two finished results"),
        (["--records", "a", "--pages", "b"], "not allowed with argument"),
    ],
)
def test_what_does_not_fit_is_one_line(
    args: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        parse(args)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


def test_what_fits_is_kept() -> None:
    options = parse(["--pages", "scans", "--limit", "3", "--json", "now.json"])
    assert (options.pages, options.limit, options.json, options.records) == ("scans", 3, "now.json", None)
