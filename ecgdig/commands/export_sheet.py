"""`python scripts/export_sheet.py runs/sheet/best.ckpt`: a trained sheet network, as the package reads it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ecgdig.locate.sheet import WEIGHTS


def main(args: Sequence[str] | None = None) -> None:
    """Write the weights of a checkpoint of `SheetTask` to where `locate/sheet.py` looks for them."""
    parser = argparse.ArgumentParser(prog="export_sheet", description=__doc__)
    parser.add_argument("checkpoint", help="a .ckpt file of scripts/train.py --config sheet_cpu.yaml")
    parser.add_argument("--out", default=str(WEIGHTS), help="weights to write (default: those of the package)")
    options = parser.parse_args(args)

    from ecgdig.commands.train import load_weights
    from ecgdig.tasks.sheet import SheetTask
    from ecgdig.tasks.sheet_net import save

    task = SheetTask()
    load_weights(task, Path(options.checkpoint))
    save(task.net.eval(), options.out)
    print(f"{options.out}: {Path(options.out).stat().st_size / 1e3:.0f} kB")
