"""The options of `scripts/eval_snr.py`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ecgdig.commands.voice import EXIT_CODES, add_voice
from ecgdig.degrade import PRESETS
from ecgdig.hub import RUNTIMES
from ecgdig.scoring.cases import LAYOUTS

_EXAMPLES = f"""examples:
  python scripts/eval_snr.py --preset scan --html report.html
  python scripts/eval_snr.py --pages DIR --resume run.jsonl --json now.json
  python scripts/eval_snr.py --predictions DIR --truth DIR --csv scores.csv
  python scripts/eval_snr.py --compare before.json now.json --html report.html

Predictions and truths are WFDB records, CSV files with a header (time_s,I,II,...; seconds and mV), Parquet, .npz,
DICOM, aECG or EDF files, of any rate, matched by file name. A prediction or picture that is missing or unreadable
counts 0 dB; a page whose truth is unreadable is not scored. Both are named with the reason, the rest is finished.

{EXIT_CODES}
"""


def parse(args: Sequence[str] | None, prog: str = "eval_snr") -> argparse.Namespace:
    """The options, checked against each other.

    Raises:
        SystemExit: 2 where they do not fit; the message says what to do.
    """
    parser = parser_of(prog)
    options = parser.parse_args(args)
    if bool(options.predictions) != bool(options.truth):
        parser.error("--predictions DIR and --truth DIR belong together; give both")
    if options.limit is not None and options.limit < 1:
        parser.error(f"--limit {options.limit}: want 1 or more pages")
    if options.dpi <= 0:
        parser.error(f"--dpi {options.dpi:g}: want a positive number, usually 100 to 300")
    for name in ("json", "csv", "markdown", "html", "resume"):
        file = getattr(options, name)
        if file is not None and (not file or Path(file).is_dir()):
            parser.error(f"--{name} {file!r}: is a folder; give the name of a file")
    if options.checkpoint and (options.predictions or options.compare):
        parser.error(f"--checkpoint {options.checkpoint}: nothing is read with it here; leave it out")
    if options.compare and (options.resume or options.wandb):
        parser.error("--compare reads two finished results; leave out --resume and --wandb")
    return options


def parser_of(prog: str = "eval_snr") -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Render (or take) pages, read them, compare with what is printed.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--records", help="recordings to render (of PTB-XL's own folder: fold 10); default: built-in")
    which.add_argument("--pages", help="folder with an index.csv (columns image, truth) of pictures and WFDB truths")
    which.add_argument("--predictions", metavar="DIR", help="recordings that any program read; with --truth")
    which.add_argument("--compare", nargs=2, metavar=("A.json", "B.json"), help="two results of --json, page by page")
    parser.add_argument("--truth", metavar="DIR", help="what is printed on the pages of --predictions")
    parser.add_argument("--preset", default="clean", choices=list(PRESETS), help="degradation of rendered pages")
    parser.add_argument("--layout", default="3x4+1", choices=[*LAYOUTS, "all"], help="of rendered pages; all = in turn")
    parser.add_argument("--dpi", type=float, default=200, help="of rendered clean pages")
    parser.add_argument(
        "--geometry", default="found", choices=["found", "true"], help="true = given, rendered pages only"
    )
    parser.add_argument("--checkpoint", help="name, folder, .ckpt, W&B artifact or hub id (default: the released one)")
    parser.add_argument(
        "--runtime", default="auto", choices=RUNTIMES, help="of the network; onnx needs no torch, cuda is a GPU"
    )
    parser.add_argument("--limit", type=int, help="score no more than this many pages")
    parser.add_argument("--resume", metavar="FILE.jsonl", help="keep finished pages here; goes on where it was killed")
    parser.add_argument("--json", metavar="FILE", help="write the summary to this file")
    parser.add_argument("--csv", metavar="FILE", help="write a row for each page and each lead of it")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables as Markdown")
    parser.add_argument("--html", metavar="FILE", help="write a report with charts and the worst pages, one file")
    parser.add_argument("--wandb", metavar="PROJECT", help="log the summary to this W&B project")
    add_voice(parser)
    return parser
