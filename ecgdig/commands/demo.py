"""`make demo`: the main job on what the project itself makes. Pages are rendered, read, scored and drawn."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2

from ecgdig.commands.evaluate import HELD_OUT_SEED
from ecgdig.evaluate import Outcome, evaluate
from ecgdig.hub import DEFAULT, load
from ecgdig.io import safe_name
from ecgdig.io.atomic import whole_file
from ecgdig.report.save import save
from ecgdig.report.scores import tables
from ecgdig.scoring.cases import LAYOUTS, rendered_cases
from ecgdig.sources import Simulator


def main(args: Sequence[str] | None = None) -> None:
    """Render held-out simulated recordings as scans, read them, print the SNR table, leave pages and overlays."""
    parser = argparse.ArgumentParser(prog="demo", description="Render, read and score pages; needs nothing else.")
    parser.add_argument("--out", default="demo", help="folder for pages, records and overlays (default: demo)")
    parser.add_argument("--pages", type=int, default=6, help="how many pages (default: 6)")
    parser.add_argument("--preset", default="scan", help="degradation of the pages (default: scan)")
    parser.add_argument("--checkpoint", default=DEFAULT, help=f"name, folder or .ckpt file (default: {DEFAULT})")
    options = parser.parse_args(args)
    folder = Path(options.out)
    model = load(options.checkpoint)

    def keep(outcome: Outcome) -> None:
        case = outcome.case
        name = safe_name(case.name)
        with whole_file(folder / f"{name}.png") as file:
            cv2.imwrite(str(file), case.image[..., ::-1])
        if outcome.read is None:
            print(f"{name}: could not be read: {outcome.error}", flush=True)
            return
        save(outcome.read, folder / name)
        page = outcome.score.page
        print(f"{name}: {outcome.read.layout.name}, {page['snr_db']:.1f} dB, {page['coverage']:.1%} read", flush=True)

    source = Simulator(n=options.pages, seed=HELD_OUT_SEED)
    cases = rendered_cases(source, options.preset, LAYOUTS, 200.0, HELD_OUT_SEED)
    summary = evaluate(cases, model, each=keep)
    summary["what"] = f"{options.preset} pages of simulated recordings, geometry found by the program"
    print("\n" + tables(summary))
    print(f"\nPages, records and overlays are in {folder}/; open {folder}/*_overlay.png")
