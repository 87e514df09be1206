from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import pytest
from ink_net import InkNet

from ecgdig.callbacks.examples import ExamplePages, example_cases
from ecgdig.sources import Simulator
from ecgdig.strip import StripSpec
from ecgdig.units import LEADS


def trainer(source: Any, **more: Any) -> Any:
    datamodule = SimpleNamespace(val_source=lambda: source)
    state = {"is_global_zero": True, "sanity_checking": False, "loggers": [], "current_epoch": 3, "global_step": 70}
    return SimpleNamespace(datamodule=datamodule, **{**state, **more})


def test_every_validation_adds_the_same_pages_to_the_table(tmp_path: Path) -> None:
    module: Any = SimpleNamespace(net=InkNet(), spec=StripSpec())
    shown = ExamplePages(tmp_path, n=1)
    shown.on_fit_start(trainer(Simulator(4, seed=3)), module)
    for step in (70, 140):
        shown.on_validation_epoch_end(trainer(None, global_step=step), module)
    with (tmp_path / "examples.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["epoch"], first["step"], first["layout"], first["preset"]) == ("3", "70", "3x4+1", "clean")
    assert {**first, "step": "140"} == second
    snr_db = [float(first[f"snr_db/{lead}"]) for lead in LEADS]
    assert float(first["snr_db"]) == pytest.approx(sum(snr_db) / 12, abs=0.01)
    (picture,) = (tmp_path / "examples").iterdir()
    assert max(cv2.imread(str(picture)).shape) == 1200


def test_presets_and_layouts_come_in_turn() -> None:
    cases = example_cases(Simulator(3, seed=3), 4)
    assert [case.index for case in cases] == [0, 1, 2]  # no more than there are recordings
    assert [case.facts["preset"] for case in cases] == ["clean", "scan", "photo"]
    assert len({case.facts["layout"] for case in cases}) == 3


@pytest.mark.parametrize("n, leads", [(0, LEADS), (2, ("I", "II", "V1"))])
def test_without_pages_nothing_is_written(n: int, leads: tuple[str, ...], tmp_path: Path) -> None:
    source = [recording.select(leads) for recording in (Simulator(1, seed=3)[0],)]
    shown, module = ExamplePages(tmp_path, n=n), SimpleNamespace(net=InkNet(), spec=StripSpec())
    if n:
        with pytest.warns(UserWarning, match="no example pages: .*I, II, V1"):
            shown.on_fit_start(trainer(source), module)  # type: ignore[arg-type]
    else:
        shown.on_fit_start(trainer(source), module)  # type: ignore[arg-type]
    shown.on_validation_epoch_end(trainer(source), module)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
