"""`python scripts/digitize.py IMAGE... --out DIR`: read scans and photos and write recordings, summaries, overlays."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from tqdm import tqdm

from ecgdig.api import check_scale
from ecgdig.batch import Job, Request, Row, default_workers, done_before, jobs_of, run, run_on, write_summary
from ecgdig.cluster import ClusterError, add_engine, cluster_of
from ecgdig.commands.voice import EXIT_CODES, Voice, add_voice, painted
from ecgdig.formats import DEFAULT_FORMATS, FORMATS, check_formats
from ecgdig.hub import DEFAULT, RUNTIMES, CheckpointError, load
from ecgdig.io.image import MOST_PIXELS, REFUSED_PIXELS, SUFFIXES
from ecgdig.io.remote import Outbox, RemoteError, fetched, local, shown
from ecgdig.locate.leads import KNOWN_LAYOUTS
from ecgdig.locate.naming import parse_leads

_SUMMARY_EVERY = 20  # pages
_LAYOUTS = sorted({name for plans in KNOWN_LAYOUTS.values() for name in plans})


def main(args: Sequence[str] | None = None, prog: str = "digitize") -> None:
    """Read every page; what fails is reported on a line each and the rest is done.

    Raises:
        SystemExit: 1 when a page could not be read, 2 for a bad option or checkpoint, 130 when interrupted.
    """
    options = parser(prog).parse_args(args)
    voice = Voice.of(options)
    try:
        request = _request(options)
        cluster = cluster_of(options, options.workers or default_workers(10**6))
        model = load(options.checkpoint, runtime=options.runtime)
        outbox = Outbox(options.out)
        request.out.mkdir(parents=True, exist_ok=True)
        jobs, bad = jobs_of([fetched(path) for path in options.images])
    except (CheckpointError, ValueError, OSError) as error:
        print(f"digitize: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    for row in bad:
        print(shown(row.error), file=sys.stderr)
    rows = {} if options.overwrite else _kept(jobs, request, voice)
    to_do = [job for job in jobs if job not in rows]
    summary = request.out / "summary.csv"

    def written() -> list[Row]:
        table = _in_order(jobs, rows, bad)
        write_summary(table, summary)
        outbox.push()
        return table

    interrupted = False
    try:
        workers = min(options.workers or default_workers(len(to_do)), len(to_do))
        finished = run(to_do, request, model, workers) if cluster is None else run_on(cluster, to_do, request)
        try:
            for job, row in _watched(finished, len(to_do), voice):
                rows[job] = row
                if len(rows) % _SUMMARY_EVERY == 0:
                    written()
        except KeyboardInterrupt:
            interrupted = True
        table = written()
    except (ClusterError, RemoteError) as error:
        print(f"digitize: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    _end(table, summary, interrupted)


def _kept(jobs: Sequence[Job], request: Request, voice: Voice) -> dict[Job, Row]:
    """The pages that were read before."""
    kept = ((job, done_before(job, request)) for job in jobs)
    rows = {job: row for job, row in kept if row is not None}
    if rows:
        voice.say(f"digitize: {len(rows)} pages were read before and are kept; --overwrite reads them again")
    return rows


def _watched(finished: Iterable[tuple[Job, Row]], n: int, voice: Voice) -> Iterator[tuple[Job, Row]]:
    """Pages as they are finished, of `n`, each told on a line beside a bar."""
    with tqdm(total=n, unit="page", disable=n < 2 or not voice.shows_progress, leave=False) as bar:
        for job, row in finished:
            bar.update()
            with tqdm.external_write_mode():
                _tell(job, row, voice)
            yield job, row


def _end(table: Sequence[Row], summary: Path, interrupted: bool) -> None:
    """Say what was not done.

    Raises:
        SystemExit: 1 when a page could not be read, 130 when interrupted.
    """
    failed = sum(row.status == "failed" for row in table)
    if failed:
        print(f"digitize: {failed} of {len(table)} pages could not be read; see {shown(str(summary))}", file=sys.stderr)
    if interrupted:
        print("digitize: interrupted; the same command goes on where it stopped", file=sys.stderr)
        raise SystemExit(130)
    if failed:
        raise SystemExit(1)


def _in_order(jobs: Sequence[Job], rows: dict[Job, Row], bad: Sequence[Row]) -> list[Row]:
    return [_as_given(row) for row in [*bad, *(rows[job] for job in jobs if job in rows)]]


def _as_given(row: Row) -> Row:
    """With the URL of what came from an object store."""
    return replace(row, file=shown(row.file), error=shown(row.error))


def _tell(job: Job, row: Row, voice: Voice) -> None:
    row = _as_given(row)
    if row.error:
        print(painted(row.error, "red", sys.stderr), file=sys.stderr)
    if voice.json_lines:
        voice.result("", asdict(row))
    elif not row.error:
        voice.say(_told(job, row))


def _told(job: Job, row: Row) -> str:
    doubt = painted("DOUBTFUL", "yellow", sys.stdout) + ", " if row.status == "doubtful" else ""
    sigma = "" if row.sigma_mv is None else f", sigma {1000 * row.sigma_mv:.0f} µV"
    text = f"{shown(job.label)}: {doubt}{row.layout}, {row.coverage or 0:.1%} read{sigma}, {row.seconds:.1f} s"
    return text + (f"\n  {row.warnings}" if row.warnings else "")


def _request(options: argparse.Namespace) -> Request:
    """The options, checked.

    Raises:
        ValueError: one of them is not known or out of range.
    """
    check_scale(options.speed, options.gain, options.chest_gain)
    if options.layout is not None and options.layout not in _LAYOUTS:
        raise ValueError(f"unknown layout {options.layout!r}; use one of {', '.join(_LAYOUTS)}, or name the --leads")
    if options.workers is not None and options.workers < 1:
        raise ValueError(f"{options.workers} workers; want 1 or more")
    leads = None if options.leads is None else parse_leads(options.leads)
    formats = check_formats([name.strip() for text in options.formats for name in text.split(",")])
    out = local(options.out)
    return Request(
        out,
        options.checkpoint,
        options.runtime,
        options.layout,
        options.speed,
        options.gain,
        options.chest_gain,
        leads,
        formats,
        options.redact,
    )


_EPILOG = f"""what is written for each page, into DIR:
  NAME.hea, NAME.dat  WFDB record: 12 leads, 500 Hz, mV; what is not printed or not readable is missing (NaN)
  NAME.csv            the same with the standard error (sigma) of every sample; the header has units and rate
  NAME.npz            signal, sigma (leads x samples, mV), fs, leads, units, for numpy.load
  NAME.json           layout, speed, gain, px/mm; quality, coverage, sigma of each lead; warnings; doubtful or not
  NAME.parquet, NAME.dcm, NAME.aecg.xml, NAME.fhir.json, NAME.edf, NAME_reprint.pdf
                      with --formats parquet dicom aecg fhir edf pdf (pip install 'ecgdig[formats]')
  NAME_overlay.png    the reading drawn over the image: look at it before using the numbers
  summary.csv         one line a page: status (ok, doubtful, failed), layout, seconds, sigma, coverage, warnings, error
Of a PDF or multi-page TIFF each page is read (NAME_p1, NAME_p2 ...). Pages read before are kept.

images: 0.3 to {MOST_PIXELS // 1_000_000} megapixels with the printed grid visible; larger ones are reduced, above
{REFUSED_PIXELS // 1_000_000} refused. Pages may lie upside down or sideways.

examples:
  python scripts/digitize.py scan.png --out readings
  python scripts/digitize.py folder/ more.pdf --out readings --format csv --workers 4
  python scripts/digitize.py odd.jpg --out readings --leads "I,II,III/aVR,aVL,aVF/V1,V2,V3/V4,V5,V6" --gain 20

{EXIT_CODES}
"""


def parser(prog: str = "digitize") -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Read scans and photos of paper ECGs into recordings in mV.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("images", nargs="+", metavar="IMAGE", help=f"files ({', '.join(s[1:] for s in SUFFIXES)}) or folders of them")
    add("--out", required=True, metavar="DIR", help="folder for the results")
    add(
        "--formats",
        nargs="+",
        default=DEFAULT_FORMATS,
        metavar="FORMAT",
        help=f"which recordings to write: {', '.join(FORMATS)} (default: {' '.join(DEFAULT_FORMATS)})",
    )
    add("--format", dest="formats", type=lambda text: [text], help="the same in one word, apart by commas")
    add("--layout", help="what is printed, if you know: 3x4, 3x4+1, 3x4+3, 6x2, 12x1 ...; default: found")
    add("--leads", help="lead names as on the page, columns apart by ',', rows by '/', for layouts that are not known")
    add("--speed", type=float, help="paper speed in mm/s, if you know; default: from the calibration pulse, or 25")
    add("--gain", type=float, help="gain in mm/mV, if you know; default: from the calibration pulse, or 10")
    add("--chest-gain", type=float, metavar="GAIN", help="that of V1 to V6, where it differs, as in 10/5 mm/mV")
    add(
        "--checkpoint",
        default=DEFAULT,
        help="name, folder, .ckpt, W&B artifact or hub id (default: %(default)s)",
    )
    add(
        "--runtime",
        default="auto",
        choices=RUNTIMES,
        help="onnx needs no torch, auto takes it where it can; cuda is a GPU",
    )
    add("--workers", type=int, metavar="N", help="processes, each with one thread if N > 1 (default: one a core)")
    add_engine(parser)
    add("--redact", action="store_true", help="paint over names and all other words in the overlay picture")
    add("--overwrite", action="store_true", help="read again what was read before")
    add_voice(parser)
    return parser
