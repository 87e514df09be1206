from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from ecgdig.commands import export_net
from ecgdig.grid import overview
from ecgdig.locate import sheet
from ecgdig.tasks import PageTask, SheetTask


@pytest.mark.parametrize(
    ("kind", "make", "released", "head"),
    [("sheet", SheetTask, sheet.WEIGHTS, "maps"), ("page", PageTask, overview.WEIGHTS, "heads")],
    ids=["sheet", "page"],
)
def test_a_checkpoint_becomes_the_weights_that_the_package_reads(
    tmp_path: Path, kind: str, make: type[SheetTask | PageTask], released: Path, head: str
) -> None:
    torch.manual_seed(0)
    task = make()
    torch.save({"state_dict": task.state_dict()}, tmp_path / "best.ckpt")
    out = tmp_path / "net.safetensors"
    export_net.main([kind, str(tmp_path / "best.ckpt"), "--out", str(out)])
    made, there = load_file(out), load_file(released)
    assert {name: value.shape for name, value in made.items()} == {name: v.shape for name, v in there.items()}
    weight = task.net.get_submodule(head).get_parameter("weight").detach().numpy()
    np.testing.assert_allclose(made[f"{head}.weight"], weight, atol=1e-3)
