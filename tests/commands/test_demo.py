from __future__ import annotations

from pathlib import Path

import pytest
from ink_net import ink_model

from ecgdig.commands import demo


def test_leaves_pages_records_and_overlays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "load", lambda name: ink_model())
    demo.main(["--out", str(tmp_path), "--pages", "1", "--preset", "clean"])
    assert "SNR " in capsys.readouterr().out
    assert len(list(tmp_path.glob("*_overlay.png"))) == 1
    assert len(list(tmp_path.glob("*.hea"))) == 1
