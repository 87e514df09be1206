"""`python scripts/share.py CKPT --out DIR`: a training checkpoint as safetensors and config.json, with error bars."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from ecgdig.calibrate import fit_sigma_rule, spreads_and_errors
from ecgdig.commands.evaluate import HELD_OUT_SEED
from ecgdig.evaluate import rendered_cases
from ecgdig.hub import CheckpointError, load, save
from ecgdig.sources import Simulator, Source, WfdbFolder


def main(args: Sequence[str] | None = None) -> None:
    """Calibrate sigma on rendered pages of held-out recordings and write the checkpoint.

    Raises:
        SystemExit: 2 for an unreadable checkpoint or records.
    """
    parser = argparse.ArgumentParser(prog="share", description="Write a checkpoint that others can load by its folder.")
    parser.add_argument("checkpoint", help="a .ckpt file of scripts/train.py, or a checkpoint's folder")
    parser.add_argument("--out", required=True, help="folder for model.safetensors and config.json")
    parser.add_argument("--records", help="held-out WFDB records to calibrate on; default: simulated ones")
    parser.add_argument("--pages", type=int, default=12, help="pages to calibrate on (default: 12)")
    parser.add_argument("--note", default="", help="command and data that made it, kept in config.json")
    options = parser.parse_args(args)
    try:
        model = load(options.checkpoint)
        source: Source = WfdbFolder(Path(options.records)) if options.records else Simulator(100, HELD_OUT_SEED)
        cases = [
            case
            for preset in ("clean", "scan", "photo")
            for case in itertools.islice(
                rendered_cases(source, preset, ("3x4+1", "6x2"), 200, HELD_OUT_SEED + 1), options.pages // 3
            )
        ]
        rule = fit_sigma_rule(*spreads_and_errors(cases, model))
    except (CheckpointError, ValueError, OSError) as error:
        print(f"share: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    folder = save(model.net, model.config["network"], model.spec, options.out, {"sigma": rule, "note": options.note})
    print(f"{folder}: sigma = hypot({rule[0]:g} x spread, {rule[1]:g} mm)")
