"""`python scripts/export_net.py sheet runs/sheet/best.ckpt`: a trained small network, as the package reads it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ecgdig.grid import overview
from ecgdig.locate import sheet

_WEIGHTS = {"page": overview.WEIGHTS, "sheet": sheet.WEIGHTS}


def main(args: Sequence[str] | None = None) -> None:
    """Write the weights of a checkpoint of `PageTask` or `SheetTask` to where the package looks for them."""
    parser = argparse.ArgumentParser(prog="export_net", description=__doc__)
    parser.add_argument("kind", choices=list(_WEIGHTS), help="which network it is")
    parser.add_argument("checkpoint", help="a .ckpt file of scripts/train.py --config page_cpu.yaml or sheet_cpu.yaml")
    parser.add_argument("--out", help="weights to write (default: those of the package)")
    options = parser.parse_args(args)

    from ecgdig.commands.train import load_weights
    from ecgdig.tasks import PageTask, SheetTask, page_net, sheet_net

    out = Path(options.out or _WEIGHTS[options.kind])
    if options.kind == "page":
        page = PageTask()
        load_weights(page, Path(options.checkpoint))
        page_net.save(page.net.eval(), out)
    else:
        task = SheetTask()
        load_weights(task, Path(options.checkpoint))
        sheet_net.save(task.net.eval(), out)
    print(f"{out}: {out.stat().st_size / 1e3:.0f} kB")
