"""`python scripts/eval_snr.py`: how well pages with known truth are read."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ecgdig.degrade import PRESETS
from ecgdig.evaluate import LAYOUTS, Case, Outcome, evaluate, folder_cases, rendered_cases
from ecgdig.hub import DEFAULT, CheckpointError, load
from ecgdig.io.atomic import whole_file
from ecgdig.metrics import LEAD_METRICS
from ecgdig.sources import Simulator, Source, WfdbFolder
from ecgdig.tracking import wandb_mode
from ecgdig.units import LEADS

HELD_OUT_SEED = 2_000_029  # of the built-in recordings and pages; no training uses it
_SHOWN = ("snr_db", "snr_page_db", "snr_kaggle_db", "snr_kaggle_linear_db", "snr_challenge_db", "pearson_r")
_SHOWN_TOO = ("rmse_mv", "error_95_mv", "coverage", "interval_90_coverage")


def main(args: Sequence[str] | None = None) -> dict[str, Any]:
    """Score as the command line says; prints the tables and returns the summary.

    Raises:
        SystemExit: 2 for a bad option, folder or checkpoint; the message says what to do.
    """
    options = _parser().parse_args(args)
    try:
        model = load(options.checkpoint)
        cases, what = _cases(options)
        summary = evaluate(cases, model, options.limit, options.geometry == "true", _progress)
    except (CheckpointError, ValueError, OSError) as error:
        print(f"eval_snr: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    summary["what"] = what
    print(tables(summary))
    if options.json:
        with whole_file(options.json) as file:
            file.write_text(json.dumps(summary, indent=1) + "\n")
    if options.wandb:
        log_to_wandb(summary, options.wandb)
    return summary


def tables(summary: dict[str, Any]) -> str:
    """The summary as text: metrics beside the oracle's, then a line a lead, then the failures."""
    lines = [f"{summary['what']}; checkpoint {summary['checkpoint']['name']}; {len(summary['pages'])} pages", ""]
    lines.append(f"{'':22}{'mean':>9}{'sd':>9}{'median':>9}{'oracle':>9}")
    for name in _SHOWN + _SHOWN_TOO:
        row = summary["metrics"][name]
        best = summary["oracle"][name]["mean"] if summary["oracle"] else None
        lines.append(f"{name:22}" + "".join(_number(v) for v in (row["mean"], row["sd"], row["median"], best)))
    lines += ["", f"{'lead':8}" + "".join(f"{name:>18}" for name in LEAD_METRICS)]
    for lead in sorted(summary["per_lead"], key=lambda x: LEADS.index(x) if x in LEADS else 99):
        row = summary["per_lead"][lead]
        lines.append(f"{lead:8}" + "".join(f"{_number(row[name]):>18}" for name in LEAD_METRICS))
    snr = summary["metrics"]["snr_db"]
    lines += ["", f"SNR {snr['mean']:.2f} ± {snr['sd']:.2f} dB (mean ± sd of {len(summary['pages'])} pages)"]
    lines.append(f"failures: {len(summary['failures'])}")
    lines += [f"  {name}: {summary['errors'].get(name, 'nothing was read')}" for name in summary["failures"]]
    return "\n".join(lines)


def log_to_wandb(summary: dict[str, Any], project: str) -> None:
    """The same numbers as an evaluation run; offline unless logged in, nothing with WANDB_MODE=disabled."""
    import wandb

    os.environ["WANDB_MODE"] = wandb_mode()
    folder = Path("runs") / "eval"
    folder.mkdir(parents=True, exist_ok=True)
    run = wandb.init(project=project, job_type="eval", dir=str(folder), config={"what": summary["what"]})
    flat = {f"{name}/{key}": v for name, row in summary["metrics"].items() for key, v in row.items() if v is not None}
    flat |= {f"snr_db/{lead}": row["snr_db"] for lead, row in summary["per_lead"].items()}
    run.log(flat | {"failures": len(summary["failures"]), "pages": len(summary["pages"])})
    run.finish()


def _cases(options: argparse.Namespace) -> tuple[Iterator[Case], str]:
    if options.pages:
        return folder_cases(Path(options.pages)), f"pages of {options.pages}"
    source: Source = WfdbFolder(Path(options.records)) if options.records else Simulator(n=24, seed=HELD_OUT_SEED)
    if options.records and len(source) == 0:
        raise ValueError(f"{options.records}: no WFDB records (.hea) in this folder")
    layouts = LAYOUTS if options.layout == "all" else (options.layout,)
    where = options.records or "the built-in simulator"
    what = f"{options.preset} pages ({options.layout}, {options.dpi:g} dpi) of {where}, {options.geometry} geometry"
    return rendered_cases(source, options.preset, layouts, options.dpi, HELD_OUT_SEED), what


def _progress(outcome: Outcome) -> None:
    page = outcome.score.page
    text = (
        f"failed: {outcome.error}" if outcome.read is None else f"{page['snr_db']:6.2f} dB, {page['coverage']:.1%} read"
    )
    print(f"  {outcome.case.name}: {text}", file=sys.stderr, flush=True)


def _number(value: float | None) -> str:
    return f"{'-':>9}" if value is None else f"{value:9.3f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="eval_snr", description="Render (or take) pages, read them, compare with what is printed."
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--records", help="folder of WFDB records to render; default: built-in held-out recordings")
    which.add_argument("--pages", help="folder with an index.csv (columns image, truth) of pictures and WFDB truths")
    parser.add_argument("--preset", default="clean", choices=list(PRESETS), help="degradation of rendered pages")
    parser.add_argument("--layout", default="3x4+1", choices=[*LAYOUTS, "all"], help="of rendered pages; all = in turn")
    parser.add_argument("--dpi", type=float, default=200, help="of rendered clean pages")
    parser.add_argument(
        "--geometry", default="found", choices=["found", "true"], help="true = given, rendered pages only"
    )
    parser.add_argument("--checkpoint", default=DEFAULT, help=f"name, folder or .ckpt file (default: {DEFAULT})")
    parser.add_argument("--limit", type=int, help="score no more than this many pages")
    parser.add_argument("--json", help="write the summary to this file")
    parser.add_argument("--wandb", metavar="PROJECT", help="log the summary to this W&B project")
    return parser
