import numpy as np
import torch
from safetensors.numpy import load_file

from ecgdig.commands import export_sheet
from ecgdig.locate.sheet import WEIGHTS
from ecgdig.tasks import SheetTask


def test_a_checkpoint_becomes_the_weights_that_the_package_reads(tmp_path):
    torch.manual_seed(0)
    task = SheetTask()
    torch.save({"state_dict": task.state_dict()}, tmp_path / "best.ckpt")
    out = tmp_path / "sheet.safetensors"
    export_sheet.main([str(tmp_path / "best.ckpt"), "--out", str(out)])
    made, released = load_file(out), load_file(WEIGHTS)
    assert {name: value.shape for name, value in made.items()} == {name: v.shape for name, v in released.items()}
    np.testing.assert_allclose(made["maps.weight"], task.net.maps.weight.detach().numpy(), atol=1e-3)
