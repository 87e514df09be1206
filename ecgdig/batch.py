"""Many pages, one after the other or in several processes; what fails is noted and the rest is done."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, fields, replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ecgdig.api import digitize
from ecgdig.cluster import Cluster, contents
from ecgdig.formats import DEFAULT_FORMATS, files_of
from ecgdig.hub import TraceModel, load
from ecgdig.io import safe_name
from ecgdig.io.atomic import whole_file
from ecgdig.io.dicom_page import is_dicom_page
from ecgdig.io.image import SUFFIXES, ImageError, count_pages
from ecgdig.locate.naming import LeadNames
from ecgdig.privacy import redacted
from ecgdig.report.save import save

GB_A_WORKER = 3.0  # measured peak on 12-megapixel photos, rounded up


@dataclass(frozen=True)
class Job:
    """One page to read: a file, the page in it (from 1) and how many it has, and the name of the results."""

    path: Path
    page: int
    pages: int
    name: str

    @property
    def label(self) -> str:
        return str(self.path) if self.pages == 1 else f"{self.path}, page {self.page}"


@dataclass(frozen=True)
class Sent:
    """A job with the bytes of its file, for a machine that does not have it."""

    job: Job
    picture: bytes


@dataclass(frozen=True)
class Request:
    """What is asked of every page of a batch; see `ecgdig.digitize` and `ecgdig.report.save.save`."""

    out: Path
    checkpoint: str
    runtime: str = "auto"
    layout: str | None = None
    speed: float | None = None
    gain: float | None = None
    chest_gain: float | None = None
    leads: LeadNames | None = None
    formats: tuple[str, ...] = DEFAULT_FORMATS
    redact: bool = False  # names and other words are painted over in the overlay


@dataclass(frozen=True)
class Row:
    """What came of a page, as in summary.csv. Status: `ok`, `doubtful`, or `failed` with an error in words."""

    file: str
    page: int
    name: str
    status: str
    layout: str = ""
    seconds: float | None = None
    sigma_mv: float | None = None
    coverage: float | None = None
    warnings: str = ""
    error: str = ""


def jobs_of(paths: Sequence[str]) -> tuple[list[Job], list[Row]]:
    """A job for every page of every file or folder of files, no two of one name, and rows for what is no picture."""
    jobs: list[Job] = []
    bad: list[Row] = []
    taken: set[str] = set()
    for text in paths:
        try:
            files = _pictures(Path(text))
        except (ImageError, OSError, ValueError) as error:
            bad.append(Row(text, 1, "", "failed", error=_line(error)))
            continue
        for file in files:
            try:
                pages = count_pages(file)
            except ImageError as error:
                bad.append(Row(str(file), 1, "", "failed", error=_line(error)))
                continue
            for page in range(1, pages + 1):
                base = safe_name(file.stem)[:150] + (f"_p{page}" if pages > 1 else "")
                name, n = base, 2
                while name.lower() in taken:
                    name, n = f"{base}-{n}", n + 1
                taken.add(name.lower())
                jobs.append(Job(file, page, pages, name))
    return jobs, bad


def done_before(job: Job, request: Request) -> Row | None:
    """The row of a job whose results are all there, made from the same file; None if it is still to do."""
    target = request.out / job.name
    try:
        kept = json.loads(target.with_name(f"{job.name}.json").read_text())
        if kept["source"] != _source(job) or not all(f.is_file() for f in files_of(request.formats, target)):
            return None
        return _row(job, kept, None)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_page(job: Job, request: Request, model: TraceModel) -> Row:
    """Read one page and write its results; whatever goes wrong is in the row."""
    began = time.perf_counter()
    try:
        _refuse_own_result(job, request)
        read = digitize(
            job.path,
            layout=request.layout,
            speed=request.speed,
            gain=request.gain,
            chest_gain=request.chest_gain,
            leads=request.leads,
            checkpoint=model,
            page=job.page,
        )
        if request.redact:
            read = replace(read, image=redacted(read.image, read.warp, read.layout, read.rows))
        source = {"source": _source(job)}
        kept = json.loads(save(read, request.out / job.name, request.formats, source)[-1].read_text())
        return _row(job, kept, round(time.perf_counter() - began, 2))
    except Exception as error:  # a batch goes on, whatever a file does to the libraries that read it
        text = _line(error)
        if not isinstance(error, (ValueError, OSError)):
            text = f"{job.path}: internal error ({type(error).__name__}: {text[:300]}); please report it with the image"
        elif str(job.path) not in text:
            text = f"{job.label}: {text}"
        seconds = round(time.perf_counter() - began, 2)
        return Row(str(job.path), job.page, job.name, "failed", seconds=seconds, error=text)


def run(jobs: Sequence[Job], request: Request, model: TraceModel, workers: int) -> Iterator[tuple[Job, Row]]:
    """Read the jobs, yielding each as it is done: in this process for one worker, else in `workers` processes."""
    if workers <= 1:
        for job in jobs:
            yield job, read_page(job, request, model)
        return
    left = list(jobs)
    try:
        for job, row in _in_processes(jobs, request, workers):
            left.remove(job)
            yield job, row
    except BrokenProcessPool:  # a process was killed: each page that is left gets one of its own
        for job in left:
            try:
                yield from _in_processes([job], request, 1)
            except BrokenProcessPool:
                error = f"{job.label}: the process that read it was killed; it may need more memory than there is"
                yield job, Row(str(job.path), job.page, job.name, "failed", error=error)


def run_on(cluster: Cluster, jobs: Sequence[Job], request: Request) -> Iterator[tuple[Job, Row]]:
    """Read the jobs on a cluster, yielding each as it is done; pictures are sent there and results written here.

    Raises:
        ClusterError: the cluster cannot be used.
    """
    failed: list[tuple[Job, Row]] = []

    def sent() -> Iterator[Sent]:
        for job in jobs:
            try:
                _refuse_own_result(job, request)
                yield Sent(job, job.path.read_bytes())
            except (OSError, ValueError) as error:
                error_text = f"{job.label}: {_line(error)}"
                failed.append((job, Row(str(job.path), job.page, job.name, "failed", error=error_text)))

    for one, (row, files) in cluster.run(_read_elsewhere, sent(), request):
        # the JSON last: where it stands, all others do
        for name in sorted(files, key=lambda name: (name == f"{one.job.name}.json", name)):
            with whole_file(request.out / name) as file:
                file.write_bytes(files[name])
        yield one.job, row
    yield from failed


def default_workers(n_jobs: int) -> int:
    """One process a core, as far as there are pages for them and memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return max(1, min(len(os.sched_getaffinity(0)), n_jobs, int(memory / GB_A_WORKER)))


def write_summary(rows: Sequence[Row], path: Path) -> None:
    """Write summary.csv, one line a page, whole or not at all."""
    with whole_file(path) as file, file.open("w", newline="") as out:
        table = csv.DictWriter(out, [f.name for f in fields(Row)], lineterminator="\n")
        table.writeheader()
        table.writerows({k: "" if v is None else v for k, v in asdict(row).items()} for row in rows)


def _pictures(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    inside = [p for p in inside if not _is_result(p)]
    if not inside:
        raise ImageError(f"{path}: no picture in this folder ({', '.join(SUFFIXES)})")
    return inside


def _is_result(path: Path) -> bool:
    """Whether a file is what an earlier run wrote beside its images, or no picture: a DICOM waveform."""
    if path.suffix.lower() == ".dcm":
        return not is_dicom_page(path)
    stem = path.stem.removesuffix("_overlay").removesuffix("_reprint")
    return stem != path.stem and path.with_name(f"{stem}.json").is_file()


def _refuse_own_result(job: Job, request: Request) -> None:
    if job.path.resolve() in [file.resolve() for file in files_of(request.formats, request.out / job.name)]:
        raise ValueError("would be overwritten by its own result; give another folder for the results")


def _source(job: Job) -> dict[str, Any]:
    digest = hashlib.sha256(job.path.read_bytes()).hexdigest()
    return {"file": job.path.name, "page": job.page, "sha256": digest}


def _row(job: Job, kept: dict[str, Any], seconds: float | None) -> Row:
    return Row(
        str(job.path),
        job.page,
        job.name,
        "doubtful" if kept["doubtful"] else "ok",
        kept["layout"],
        seconds,
        kept["sigma_mv"],
        kept["coverage"],
        "; ".join(kept["warnings"]),
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


_worker: dict[str, TraceModel] = {}  # the network of a worker process


def _start_worker(checkpoint: str, runtime: str) -> None:
    import signal

    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops the workers
    os.environ["OMP_NUM_THREADS"] = "1"  # of torch, which is not imported yet, and of onnxruntime
    cv2.setNumThreads(1)
    _worker["model"] = load(checkpoint, runtime=runtime)


def _work(job: Job, request: Request) -> Row:
    return read_page(job, request, _worker["model"])


def _read_elsewhere(sent: Sent, request: Request) -> tuple[Row, dict[str, bytes]]:
    """`read_page` on another machine, of a picture that was sent along; the results come back as bytes."""
    if "model" not in _worker:  # a process of Ray works for one run
        _start_worker(request.checkpoint, request.runtime)
    with TemporaryDirectory(prefix="ecgdig-") as folder:
        there, out = Path(folder, sent.job.path.name), Path(folder, "out")
        there.write_bytes(sent.picture)
        row = read_page(replace(sent.job, path=there), replace(request, out=out), _worker["model"])
        row = replace(row, file=str(sent.job.path), error=row.error.replace(str(there), str(sent.job.path)))
        return row, contents(out)


def _in_processes(jobs: Sequence[Job], request: Request, workers: int) -> Iterator[tuple[Job, Row]]:
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start_worker, (request.checkpoint, request.runtime))
    waiting = iter(jobs)
    running: dict[Future[Row], Job] = {}
    try:
        while True:
            for job in waiting:
                running[pool.submit(_work, job, request)] = job
                if len(running) >= 2 * workers:
                    break
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
