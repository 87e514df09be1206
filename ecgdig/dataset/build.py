"""Making a data set's pages in several processes; what a killed run has done is kept."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from functools import cached_property
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import ecgdig
from ecgdig.cluster import Cluster, contents
from ecgdig.dataset.files import Encoding, page_name, write_page
from ecgdig.dataset.manifest import FolderError, Journal, Row, claimed
from ecgdig.dataset.recipe import Recipe, Sheet, draw_page, parameters, sheets_of
from ecgdig.dataset.records import Records
from ecgdig.io.atomic import whole_file
from ecgdig.memory import give_back_above, keep_freed_memory

PTBXL_PAGES = 21_801
_STEADY = 20  # pages of a run whose start is left out of its rate
# besides 180 of code: well above the 190 that a worker holds after giving back; one that gives back after every page
# spends a sixth of its time on 4,000 page faults each
_KEPT_MB = 280
_QUEUED = 3  # tasks a worker may have waiting
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Plan:
    """Which pages there are to be: `n_pages` in all, `pages_per_record` of each record; and how they are drawn.

    `sheets`: where recordings go on over several pages, how many each record has; pages of a record are then these.
    """

    recipe: Recipe
    records: Records
    n_pages: int
    pages_per_record: int = 1
    encoding: Encoding = field(default_factory=Encoding)
    sheets: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.pages_per_record < 1:
            raise ValueError(f"{self.pages_per_record} pages per record; want 1 or more")
        if self.n_pages < 1:
            raise ValueError(f"{self.n_pages} pages; want 1 or more")

    def describe(self) -> dict[str, Any]:
        """What must be the same for pages to lie in one folder. More pages may be added later, so not their number."""
        described = {
            "ecgdig": ecgdig.__version__,
            "recipe": asdict(self.recipe),
            "pages_per_record": self.pages_per_record,
            "encoding": asdict(self.encoding),
            "records_sha256": self.records.fingerprint(),
        }
        read_back: dict[str, Any] = json.loads(json.dumps(described))  # tuples become lists
        return read_back

    @staticmethod
    def of_whole_records(recipe: Recipe, records: Records, limit: int | None, encoding: Encoding) -> Plan:
        """Every record from its first sample to its last, on as many pages as it takes.

        All records are read once to see how long they are; one that cannot be has one page, which then fails.
        """
        sheets = tuple(_sheets(recipe, records, record) for record in range(len(records)))
        n = sum(sheets) if limit is None else min(sum(sheets), limit)
        return Plan(recipe, records, n, 1, encoding, sheets)

    def pages_of(self, record: int) -> range:
        n = self.sheets[record] if self.sheets else self.pages_per_record
        first = self._first[record] if self.sheets else record * n
        return range(first, min(first + n, self.n_pages))

    @property
    def n_records(self) -> int:
        """How many records the pages are of."""
        if not self.sheets:
            return -(-self.n_pages // self.pages_per_record)
        return int(np.searchsorted(self._first, self.n_pages))

    @cached_property
    def _first(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(self.sheets[:-1])]).astype(np.int64)


def _sheets(recipe: Recipe, records: Records, record: int) -> int:
    try:
        return sheets_of(recipe, records[record], record)
    except (ValueError, KeyError, OSError, MemoryError):
        return 1


@dataclass
class Report:
    """What came of a run: pages there were before and are now, failures (record, page, why), seconds, worker memory.

    `unfinished`: why the manifest could not be written; what was done is kept.
    """

    before: int = 0
    pages: int = 0
    failures: list[tuple[str, str, str]] = field(default_factory=list)
    seconds: float = 0.0
    peak_mb: float = 0.0
    unfinished: str = ""
    first_s: float = 0.0  # until the first page was there: processes start, numba loads

    @property
    def rate(self) -> float:
        """Pages a second of this run, 0 if it made none; of a longer run without its start."""
        made = self.pages - self.before
        if made >= _STEADY and self.seconds > self.first_s:
            return (made - 1) / (self.seconds - self.first_s)
        return made / self.seconds if made and self.seconds > 0 else 0.0


@dataclass(frozen=True)
class _Task:
    record: int
    pages: tuple[int, ...]


@dataclass(frozen=True)
class _Done:
    rows: list[Row]
    failures: list[tuple[str, str, str]]
    peak_mb: float


def build(
    plan: Plan,
    folder: Path,
    workers: int,
    each: Callable[[int], None] = lambda n: None,
    cluster: Cluster | None = None,
) -> Report:
    """Make every page of `plan` that `folder` lacks.

    A record that cannot be read or drawn, or a page that cannot be written (disk full), is a failure in the report;
    all others are made.

    Args:
        workers: processes, one thread each; 0 draws in this process.
        each: called with the number of pages that were finished or failed since the last call.
        cluster: draws them, instead of processes of this machine; the files are written here all the same.

    Raises:
        FolderError: `folder` is not usable for this plan, or a worker was killed; what was done is kept.
        ClusterError: the cluster cannot be used.
    """
    with claimed(folder, plan.describe()):
        journal = Journal(folder)
        report = Report(before=len(journal.rows))
        try:
            each(report.before)
            start = time.perf_counter()
            tasks = list(_missing(plan, journal))
            if cluster is not None and tasks:
                run = _on_cluster(plan, folder, tasks, cluster)
            elif workers and tasks:
                run = _in_processes(plan, folder, tasks, workers)
            else:
                run = _here(plan, folder, tasks)
            for done in run:
                report.failures += [*_not_kept(journal, done.rows), *done.failures]
                report.peak_mb = max(report.peak_mb, done.peak_mb)
                each(len(done.rows) + len(done.failures))
                report.first_s = report.first_s or time.perf_counter() - start
            report.seconds = time.perf_counter() - start
        except BrokenProcessPool:
            raise FolderError(
                f"{folder}: a worker was killed, perhaps for want of memory; give the same command again, with fewer "
                "--workers or a smaller --dpi; it goes on where it stopped"
            ) from None
        report.pages = len(journal.rows)
        report.failures.sort()
        try:
            journal.close()
        except OSError as error:
            report.unfinished = _why(error)
    return report


def _not_kept(journal: Journal, rows: Sequence[Row]) -> Iterator[tuple[str, str, str]]:
    """Adds pages that are done to the journal; those for which there was no room are failures."""
    for row in rows:
        try:
            journal.add(row)
        except OSError as error:
            yield row["record"], row["page"], _why(error)


def _why(error: Exception) -> str:
    return " ".join((str(error) or type(error).__name__).split())


def _missing(plan: Plan, journal: Journal) -> Iterator[_Task]:
    for record in range(plan.n_records):
        pages = tuple(index for index in plan.pages_of(record) if index not in journal.rows)
        if pages:
            yield _Task(record, pages)


def _here(plan: Plan, folder: Path, tasks: Sequence[_Task]) -> Iterator[_Done]:
    return (make(plan, folder, task) for task in tasks)


def make(plan: Plan, folder: Path, task: _Task) -> _Done:
    """The pages of one record, drawn and written."""
    give_back_above(_KEPT_MB)
    rows: list[Row] = []
    failures: list[tuple[str, str, str]] = []
    label = plan.records.label(task.record)
    for index in task.pages:
        name = page_name(index)
        try:
            recording = plan.records[task.record]
            sheet = Sheet(task.record, index - plan.pages_of(task.record).start) if plan.sheets else None
            page, drawn = draw_page(plan.recipe, recording, index, sheet, plan.encoding.suffix == "jpg")
            files = write_page(folder, name, page, drawn | {"record": label}, plan.encoding)
        except (ValueError, KeyError, OSError, MemoryError) as error:
            failures.append((label, name, _why(error)))
            continue
        head = {"page": name, "index": str(index), "seed": str(plan.recipe.seed), "record": label}
        rows.append(head | parameters(plan.recipe, page, drawn) | files)
    return _Done(rows, failures, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _in_processes(plan: Plan, folder: Path, tasks: Sequence[_Task], workers: int) -> Iterator[_Done]:
    context = multiprocessing.get_context("forkserver")  # a plain fork would share the threads of OpenCV and numba
    context.set_forkserver_preload([__name__])
    kept = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))  # read by the fork server when it starts
    pool = ProcessPoolExecutor(min(workers, len(tasks)), context, _start_worker, (plan, folder))
    waiting = iter(tasks)
    running: set[Future[_Done]] = set()
    try:
        while True:
            while len(running) < workers * _QUEUED and (task := next(waiting, None)) is not None:
                running.add(pool.submit(_work, task))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        pool.shutdown(wait=True, cancel_futures=True)


def _on_cluster(plan: Plan, folder: Path, tasks: Sequence[_Task], cluster: Cluster) -> Iterator[_Done]:
    for _, (done, files) in cluster.run(_make_elsewhere, tasks, plan):
        for name, data in files.items():
            with whole_file(folder / name) as file:
                file.write_bytes(data)
        yield done


def _make_elsewhere(task: _Task, plan: Plan) -> tuple[_Done, dict[str, bytes]]:
    """`make` on another machine: the files come back as bytes, path in the data set -> content."""
    cv2.setNumThreads(1)
    with TemporaryDirectory(prefix="ecgdig-") as folder:
        return make(plan, Path(folder), task), contents(Path(folder))


_job: tuple[Plan, Path]  # of this worker


def _start_worker(plan: Plan, folder: Path) -> None:
    global _job
    _job = plan, folder
    cv2.setNumThreads(1)
    keep_freed_memory()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _work(task: _Task) -> _Done:
    return make(*_job, task)


def _end_with(sentinel: int) -> None:
    """End this process when the main one has ended, even if it was killed: nobody would collect its pages."""
    wait_for([sentinel])
    os._exit(1)
