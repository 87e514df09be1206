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
from ecgdig.dataset import Encoding, Entry, FolderError, Plan, Recipe, Records, Report, build, load, open_records
from ecgdig.dataset.build import PTBXL_PAGES
from ecgdig.dataset.export import EXPORTS, write_shards
from ecgdig.dataset.files import FORMATS, RECORDS
from ecgdig.dataset.recipe import ORDERS, SHEETS, Look
from ecgdig.degrade import DEGRADATIONS, PRESETS
from ecgdig.degrade.handwriting import read_words
from ecgdig.degrade.wishes import Wishes
from ecgdig.io.remote import Outbox, fetched, local, shown
from ecgdig.io.wfdb import RecordError
from ecgdig.page.style import HUES, Chances

SIMULATED_PAGES = 100
_PUSHED_EVERY = 50  # pages, to an object store
_ASKED = 0.7  # strength of what is asked for without one
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
        if report.pages and not report.unfinished:
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
    if report.unfinished:
        print(shown(f"render: {folder}: no manifest: {report.unfinished}; the same command goes on"), file=sys.stderr)
    if report.failures or report.unfinished:
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
    recipe = _recipe(options)
    encoding = Encoding(options.format, options.quality, options.truth_records)
    records = open_records([fetched(path) for path in options.records], options.seed)
    if options.sheets == "all":
        return _plan_of_whole_records(recipe, records, encoding, options)
    n_pages = len(records) * options.pages_per_record if options.records else SIMULATED_PAGES
    if options.limit is not None:
        n_pages = options.limit if not options.records else min(n_pages, options.limit)
    return Plan(recipe, records, n_pages, options.pages_per_record, encoding)


def _plan_of_whole_records(recipe: Recipe, records: Records, encoding: Encoding, options: argparse.Namespace) -> Plan:
    if not options.records or options.pages_per_record != 1:
        raise ValueError("--sheets all wants RECORDS, and no --pages-per-record")
    return Plan.of_whole_records(recipe, records, options.limit, encoding)


def _recipe(options: argparse.Namespace) -> Recipe:
    look = Look(
        tuple(options.style),
        Chances(options.pulses, options.black_and_white, options.grids, options.headers, options.grid_colour),
    )
    wishes = Wishes(
        words=None if options.words is None else read_words(options.words),
        notes=options.notes,
        note_mm=options.note_mm,
        note_at=None if options.note_at is None else tuple(options.note_at),
        creases=None if options.creases is None else (*options.creases, 0)[:2],
        crease_deg=options.crease_angle,
        rotation_deg=options.rotation,
    )
    fixed = dict(_strength(word) for word in options.strength)
    # what is asked for is on every page
    if options.notes is not None:
        fixed.setdefault("handwriting", _ASKED)
    if options.creases is not None:
        fixed.setdefault("folds", _ASKED)
    if options.rotation is not None:
        fixed.setdefault("rotation", _ASKED)
    return Recipe(
        options.seed,
        options.preset,
        options.layout,
        None if options.dpi is None else options.dpi[0] if len(options.dpi) == 1 else _two(options.dpi),
        options.scale == "usual",
        order=options.order,
        sheets=options.sheets,
        look=look,
        strengths=tuple(fixed.items()),
        wishes=wishes,
        margin_mm=None if options.margin_mm is None else _two(options.margin_mm),
    )


def _two(values: Sequence[float]) -> tuple[float, float]:
    """Two ends of a range; one number is both."""
    if len(values) > 2:
        raise ValueError(f"{' '.join(f'{v:g}' for v in values)}; want one number, or two to draw between")
    return values[0], values[-1]


def _strength(word: str) -> tuple[str, float]:
    name, _, value = word.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise ValueError(f"--strength {word}; want NAME=0 to NAME=1, such as rotation=0.4") from None


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


_DESCRIPTION = """Draw ECG recordings as pages of paper, with the exact truth of each page beside it.

In DIR: images/, truth/ (a WFDB record in mV of what is printed, and a .npz with layout, warp, polylines, boxes and
style, read by ecgdig.dataset.load), manifest.csv (everything drawn, SHA-256 of each file) and index.csv (for
eval_snr.py --pages DIR). A page depends only on seed, number and options: any number of workers makes the same bytes.
A run that was stopped or killed goes on when the same command is given again; a larger --limit adds pages."""
_EPILOG = f"""examples:
  render.py --out pages --preset photo --limit 50                    50 simulated photos
  render.py ptb-xl --out pages --preset scan --workers 8             one scan of each PTB-XL record
  render.py my-records a/00001_hr --out pages --pages-per-record 3   a folder and a single record, 3 pages each
  render.py my-records --out pages --preset clean --layout 3x4+1 --style grid.kind=none qr=true header=true
  render.py my-records --out pages --strength wrinkles=0.7 noise=0.4 rotation=0 --words notes.txt --notes 4
  render.py holter --out pages --layout CH1/CH2 --sheets all        from the first sample to the last
  render.py --out pages --limit 50 --export coco yolo masks --shards 1000

{EXIT_CODES}"""


def parser(prog: str = "render") -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog=prog, formatter_class=argparse.RawDescriptionHelpFormatter, description=_DESCRIPTION, epilog=_EPILOG
    )
    _add_run(parser)
    _add_pages(parser)
    _add_looks(parser)
    _add_files(parser)
    add_voice(parser)
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    """Which recordings, how many pages of them, by how many processes, as what kind of picture."""
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


def _add_pages(parser: argparse.ArgumentParser) -> None:
    """What all pages have in common."""
    parser.add_argument(
        "--layout",
        help="3x4, 3x4+1, 3x4+3, 6x2, 12x1 ... of every page, or rows of any leads, I,V1/II,V5+II (default: drawn)",
    )
    parser.add_argument("--order", default="usual", choices=ORDERS, help="of the leads in 3x4 and the like")
    parser.add_argument(
        "--sheets",
        default="one",
        choices=SHEETS,
        help="all: a long recording goes on over as many pages as it takes (default: one page, any part of it)",
    )
    parser.add_argument(
        "--dpi",
        type=float,
        nargs="+",
        metavar="DPI",
        help="of every page, or two to draw between (default: drawn, from the preset's range)",
    )
    parser.add_argument(
        "--scale",
        default="any",
        choices=["any", "usual"],
        help="usual: only 25 mm/s and 10 mm/mV on letter or A4 paper with a grid (default: any)",
    )


def _add_files(parser: argparse.ArgumentParser) -> None:
    """What is written beside the pictures."""
    parser.add_argument(
        "--truth-records",
        default="printed",
        choices=RECORDS,
        help="both: beside what is printed (NaN elsewhere) also the whole recording, truth/NAME_whole",
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


def _add_looks(parser: argparse.ArgumentParser) -> None:
    """What is otherwise drawn from page to page."""
    group = parser.add_argument_group("looks", "what is not said is drawn from page to page")
    group.add_argument(
        "--strength",
        nargs="+",
        default=[],
        metavar="NAME=S",
        help=f"degradations of every page, 0 (left out) to 1, whatever the preset draws: {', '.join(DEGRADATIONS)}",
    )
    group.add_argument(
        "--style",
        nargs="+",
        default=[],
        metavar="FIELD=VALUE",
        help="of every page, as in manifest.csv: pulse=left, grid.kind=none, place=none (no lead names), header=true, "
        "qr=true, width_mm=0.4, font=VT323 ...; a field that does not exist lists them all",
    )
    group.add_argument("--grid-colour", choices=HUES, metavar="HUE", help=f"{', '.join(HUES)}")
    group.add_argument("--black-and-white", type=float, metavar="P", help="chance, 0 to 1")
    group.add_argument("--grids", type=float, metavar="P", help="chance of a printed grid, 0 to 1")
    group.add_argument("--headers", type=float, metavar="P", help="chance of text about the patient, 0 to 1")
    group.add_argument("--pulses", type=float, metavar="P", help="chance of calibration pulses, 0 to 1")
    group.add_argument("--words", metavar="FILE", help="notes written by hand, one a line (default: a built-in list)")
    group.add_argument("--notes", type=int, metavar="N", help="how many of them, on every page")
    group.add_argument("--note-mm", type=float, metavar="MM", help="height of their capitals")
    group.add_argument(
        "--note-at", type=float, nargs=2, metavar=("X", "Y"), help="of the first one, shares of the sheet"
    )
    group.add_argument(
        "--creases", type=int, nargs="+", metavar="N", help="how many folds, and how many across them, on every page"
    )
    group.add_argument("--crease-angle", type=float, metavar="DEG", help="0: along the sheet's width")
    group.add_argument("--rotation", type=float, metavar="DEG", help="of every page, clockwise")
    group.add_argument(
        "--margin-mm",
        type=float,
        nargs="+",
        metavar="MM",
        help="around the sheet, or two to draw between; below 0: cut",
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0))
