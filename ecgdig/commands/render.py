"""`python scripts/render.py RECORDS... --out DIR`: pages with their truth on disk, and exports of them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tqdm import tqdm

from ecgdig.cluster import Cluster, add_engine, cluster_of
from ecgdig.commands.voice import EXIT_CODES, Voice, add_voice
from ecgdig.dataset import Encoding, Entry, FolderError, Plan, Recipe, Report, build, load, open_records
from ecgdig.dataset.build import PTBXL_PAGES
from ecgdig.dataset.export import EXPORTS, write_shards
from ecgdig.dataset.files import FORMATS
from ecgdig.degrade import PRESETS
from ecgdig.io.remote import Outbox, fetched, local, shown
from ecgdig.io.wfdb import RecordError

SIMULATED_PAGES = 100
_PUSHED_EVERY = 50  # pages, to an object store
_SHOWN = 20  # failures that are printed one by one


def main(args: Sequence[str] | None = None, prog: str = "render") -> Report:
    """Make the pages and exports that the command line asks for; what is there already is kept.

    Raises:
        SystemExit: 1 when some records failed or the run was interrupted, 2 for bad options or when nothing could be
            made; the message says what to do.
    """
    options = parser(prog).parse_args(args)
    voice = Voice.of(options)
    folder = local(options.out)
    try:
        plan = _plan(options)
        outbox = Outbox(options.out)
        report = _build(plan, outbox, options.workers, voice, cluster_of(options, options.workers))
        if report.pages:
            _export(folder, options, voice)
        outbox.push()
    except (FolderError, RecordError, ValueError, OSError) as error:
        print(shown(f"render: {' '.join(str(error).split())}"), file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print(f"render: interrupted; the same command goes on with {options.out}", file=sys.stderr)
        raise SystemExit(1) from None
    voice.result(shown(summary(report, folder, options.workers)), {"folder": options.out, **asdict(report)})
    if report.failures:
        print(shown(failures(report)), file=sys.stderr)
        raise SystemExit(1 if report.pages else 2)
    return report


def summary(report: Report, folder: Path, workers: int) -> str:
    """What was made, how fast, and what PTB-XL as a whole would take."""
    text = f"{folder}: {report.pages} pages ({report.pages - report.before} new)"
    if not report.rate:
        return text
    hours = PTBXL_PAGES / report.rate / 3600
    return (
        f"{text}; {report.rate:.2f} pages/s with {max(workers, 1)} workers, {report.peak_mb:.0f} MB a worker at most\n"
        f"PTB-XL whole ({PTBXL_PAGES:,} pages) at this rate: {hours:.1f} h"
    )


def failures(report: Report) -> str:
    """A line a failure, the first of them; each names its record."""
    lines = [f"render: {label} ({page}): {why}" for label, page, why in report.failures[:_SHOWN]]
    if len(report.failures) > _SHOWN:
        lines.append(f"render: ... and {len(report.failures) - _SHOWN} more")
    return "\n".join([*lines, f"render: {len(report.failures)} pages failed; the same command tries them again"])


def _plan(options: argparse.Namespace) -> Plan:
    if options.workers < 0:
        raise ValueError(f"{options.workers} workers; want 0 or more")
    if options.shards is not None and options.shards < 1:
        raise ValueError(f"{options.shards} pages a shard; want 1 or more")
    recipe = Recipe(options.seed, options.preset, options.layout, options.dpi, options.scale == "usual")
    records = open_records([fetched(path) for path in options.records], options.seed)
    n_pages = len(records) * options.pages_per_record if options.records else SIMULATED_PAGES
    if options.limit is not None:
        n_pages = options.limit if not options.records else min(n_pages, options.limit)
    return Plan(recipe, records, n_pages, options.pages_per_record, Encoding(options.format, options.quality))


def _build(plan: Plan, outbox: Outbox, workers: int, voice: Voice, cluster: Cluster | None) -> Report:
    silent = voice.quiet or voice.json_lines
    with tqdm(total=plan.n_pages, unit="page", desc="pages", mininterval=0.5, disable=silent) as bar:
        started: list[bool] = []

        def each(n: int) -> None:
            if started:
                bar.update(n)
            else:  # pages of an earlier run do not count for the rate
                started.append(True)
                bar.reset()
                bar.initial = bar.n = bar.last_print_n = min(n, plan.n_pages)
            if bar.n % _PUSHED_EVERY == 0:
                outbox.push()

        try:
            return build(plan, outbox.path, workers, each, cluster)
        except KeyboardInterrupt:
            outbox.push()
            raise


def _export(folder: Path, options: argparse.Namespace, voice: Voice) -> None:
    pages = load(folder)

    def watched(kind: str) -> Callable[[Iterable[Entry]], Iterable[Entry]]:
        return partial(tqdm, unit="page", desc=kind, mininterval=0.5, disable=voice.quiet or voice.json_lines)

    for kind in dict.fromkeys(options.export):
        EXPORTS[kind](pages, options.workers, watched(kind))
    if options.shards:
        write_shards(pages, options.shards, watched("shards"))


def parser(prog: str = "render") -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog=prog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="""Draw ECG recordings as pages of paper, with the exact truth of each page beside it.

In DIR: images/, truth/ (a WFDB record in mV of what is printed, and a .npz with layout, warp, polylines, boxes and
style, read by ecgdig.dataset.load), manifest.csv (everything drawn, SHA-256 of each file) and index.csv (for
eval_snr.py --pages DIR). A page depends only on seed, number and options: any number of workers makes the same bytes.
A run that was stopped or killed goes on when the same command is given again; a larger --limit adds pages.""",
        epilog=f"""examples:
  render.py --out pages --preset photo --limit 50                    50 simulated photos
  render.py ptb-xl --out pages --preset scan --workers 8             one scan of each PTB-XL record
  render.py my-records a/00001_hr --out pages --pages-per-record 3   a folder and a single record, 3 pages each
  render.py --out pages --limit 50 --export coco yolo masks --shards 1000

{EXIT_CODES}""",
    )
    parser.add_argument(
        "records",
        nargs="*",
        metavar="RECORDS",
        help="folders of recordings (WFDB, CSV, DICOM, aECG, EDF, Parquet; searched recursively), PTB-XL's own folder, "
        "single ones; also s3://BUCKET/FOLDER; none: the simulator",
    )
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="folder to make, or to go on with; also s3://BUCKET/FOLDER"
    )
    parser.add_argument(
        "--preset", default="scan", choices=list(PRESETS), help="what happens to a page (default: scan)"
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help=f"no more than N pages (default: all; simulated: {SIMULATED_PAGES})"
    )
    parser.add_argument("--pages-per-record", type=int, default=1, metavar="K", help="different pages of each record")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="another seed, other pages (default: 0)")
    parser.add_argument(
        "--workers", type=int, default=_cores(), metavar="W", help="processes; 0 = none (default: one a core)"
    )
    add_engine(parser)
    parser.add_argument("--format", default="jpg", choices=list(FORMATS), help="of the pictures (default: jpg)")
    parser.add_argument("--quality", type=int, default=95, help="1 to 100, of jpg and webp; webp: 100 = lossless")
    parser.add_argument("--layout", help="3x4, 3x4+1, 3x4+3, 6x2, 12x1 ... of every page (default: drawn)")
    parser.add_argument("--dpi", type=float, help="of every page (default: drawn, from the preset's range)")
    parser.add_argument(
        "--scale",
        default="any",
        choices=["any", "usual"],
        help="usual: only 25 mm/s and 10 mm/mV on letter or A4 paper with a grid (default: any)",
    )
    parser.add_argument(
        "--export",
        nargs="+",
        default=[],
        choices=list(EXPORTS),
        metavar="KIND",
        help=f"also write: {', '.join(EXPORTS)}",
    )
    parser.add_argument(
        "--shards", type=int, metavar="N", help="also pack WebDataset tars of N pages each into shards/"
    )
    add_voice(parser)
    return parser


def _cores() -> int:
    return len(os.sched_getaffinity(0))
