"""The queue: jobs of many visitors, done in turn by a few worker processes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from ecgdig.web.limits import Limits
from ecgdig.web.worker import Worker

State = Literal["waiting", "running", "done", "failed", "cancelled"]
_START_S = 120.0  # a worker imports and loads within this
_RESTARTS = 3  # failed starts of a worker in a row, after which it is given up
_NONE_LEFT = "no process that reads can be started; ask whoever runs this server to try `ecgdig doctor`"


class QueueFullError(Exception):
    """Too many jobs wait; the message says so."""


@dataclass(eq=False)
class Job:
    """One job of one owner; `ended` is set when it is done, failed or cancelled.

    Attributes:
        place: where it is at best done, e.g. the folder that a worker holds in memory.
        stage: what is being done, in words.
        fault: 4xx where the user can mend it, 5xx where not; 0 otherwise.
        then: called once, when it ends, before whoever waits for it goes on.
    """

    owner: str
    what: dict[str, Any]
    place: str = ""
    state: State = "waiting"
    stage: str = ""
    error: str = ""
    fault: int = 0
    result: dict[str, Any] = field(default_factory=dict)
    then: Callable[[Job], None] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, state: State, error: str = "", fault: int = 0) -> None:
        if not self.ended.is_set():
            self.state, self.error, self.fault = state, error, fault
            if self.then is not None:
                self.then(self)
            self.ended.set()


class Dispatcher:
    """Gives jobs to workers: owners take turns, so that a batch of one does not keep the others waiting."""

    def __init__(self, workers: int, limits: Limits, start: Callable[[], Worker]) -> None:
        self._limits = limits
        self._start = start
        self._waiting: OrderedDict[str, deque[Job]] = OrderedDict()
        self._running: dict[int, Job] = {}
        self._last_place = [""] * workers
        self._workers: list[Worker | None] = [None] * workers
        self._changed = asyncio.Condition()
        self._threads = ThreadPoolExecutor(max(workers, 1), "worker-pipe")
        self._loops: list[asyncio.Task[None]] = []
        self._given_up = 0
        self.alive = 0

    def open(self) -> None:
        self._loops = [asyncio.create_task(self._serve(i)) for i in range(len(self._workers))]

    async def close(self) -> None:
        for loop in self._loops:
            loop.cancel()
        for worker in self._workers:
            if worker is not None:
                worker.kill()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def submit(self, job: Job) -> Job:
        """Put a job in the queue; where no worker is left it fails at once.

        Raises:
            QueueFullError: its owner has too many there.
        """
        if self._is_dead:
            job.end("failed", _NONE_LEFT, 503)
            return job
        async with self._changed:
            queue = self._waiting.setdefault(job.owner, deque())
            if len(queue) >= self._limits.waiting:
                raise QueueFullError(f"{len(queue)} jobs of yours are waiting; wait until some are done")
            queue.append(job)
            self._changed.notify_all()
        return job

    async def done(self, job: Job) -> Job:
        """Submit a job and wait for its end; it is cancelled when the task that waits is."""
        await self.submit(job)
        try:
            await job.ended.wait()
        finally:
            self.cancel(job)  # nothing to do for one that has ended
        return job

    def cancel(self, job: Job) -> None:
        """End a job: taken out of the queue, or its worker killed and gone when this returns."""
        if job.ended.is_set():
            return
        queue = self._waiting.get(job.owner)
        if queue is not None and job in queue:
            queue.remove(job)
        for i, running in self._running.items():
            worker = self._workers[i]
            if running is job and worker is not None:
                worker.kill()
        job.end("cancelled")

    def cancel_all(self, owner: str, place: str | None = None) -> None:
        """End every job of an owner, or those of one place."""
        mine = (*self._waiting.get(owner, ()), *self._running.values())
        for job in [job for job in mine if job.owner == owner and place in (None, job.place)]:
            self.cancel(job)

    @property
    def _is_dead(self) -> bool:
        return 0 < len(self._workers) == self._given_up

    def ahead_of(self, job: Job) -> int:
        """How many jobs are done before this one, if nothing else comes."""
        own = self._waiting.get(job.owner, deque())
        if job not in own:
            return 0
        turn, ahead, before = own.index(job), 0, 1
        for queue in self._waiting.values():
            if queue is own:
                ahead, before = ahead + turn, 0  # owners that come later have had one turn less
            else:
                ahead += min(len(queue), turn + before)
        return ahead

    def _next(self, i: int) -> Job | None:
        """The first job of the owner whose turn it is; of those, one for which this worker holds what it needs."""
        held = list(self._running.values())
        for owner in list(self._waiting):
            queue = self._waiting[owner]
            if not queue:
                del self._waiting[owner]
                continue
            job = queue[0]
            elsewhere = job.place and job.place in self._last_place and self._last_place[i] != job.place
            if elsewhere:
                j = self._last_place.index(job.place)
                if j not in self._running and self._workers[j] is not None:
                    continue  # that one is free and will take it
            if job.place and any(other.place == job.place for other in held):
                continue  # one job at a time on a page
            queue.popleft()
            self._waiting.move_to_end(owner)
            if not queue:
                del self._waiting[owner]
            return job
        return None

    async def _serve(self, i: int) -> None:
        failures = 0
        while failures < _RESTARTS:
            worker = await self._ready_worker(i)
            if worker is None:
                failures += 1
                continue
            failures = 0
            self.alive += 1
            try:
                while await self._one_job(i, worker):
                    pass
            finally:
                self.alive -= 1
                self._workers[i] = None
                self._last_place[i] = ""
                worker.kill()  # what waits at its pipe sees the end of it
        self._given_up += 1
        if self._is_dead:
            for job in self._all_waiting():
                job.end("failed", _NONE_LEFT, 503)
            self._waiting.clear()

    def _all_waiting(self) -> Iterator[Job]:
        return (job for queue in self._waiting.values() for job in queue)

    async def _ready_worker(self, i: int) -> Worker | None:
        """A worker that has said that it is ready; None where it does not start."""
        loop = asyncio.get_running_loop()
        try:
            worker = self._workers[i] = self._start()
        except OSError:  # no memory for a process
            return None
        try:
            async with asyncio.timeout(_START_S):
                if (await loop.run_in_executor(self._threads, worker.receive))["state"] == "ready":
                    return worker
        except (EOFError, OSError, ValueError):
            pass
        self._workers[i] = None
        worker.kill()
        return None

    async def _one_job(self, i: int, worker: Worker) -> bool:
        """Wait for a job and do it; False where the worker is gone."""
        async with self._changed:
            while (job := self._next(i)) is None:
                await self._changed.wait()
            if not worker.process.is_alive():  # it died idle: the job is not to blame
                self._waiting.setdefault(job.owner, deque()).appendleft(job)
                return False
            self._running[i] = job
            job.state = "running"
        try:
            async with asyncio.timeout(self._limits.job_s):
                return await self._follow(i, worker, job)
        except TimeoutError:
            job.end("failed", f"stopped after {self._limits.job_s:g} s; give a smaller or clearer picture", 422)
            return False
        except (EOFError, OSError, ValueError, KeyError, TypeError):  # it is gone, or says what no worker says
            said = "the process that read it was stopped; the picture may need more memory than a job may have"
            job.end("failed", said, 422)
            return False
        finally:
            del self._running[i]
            async with self._changed:
                self._changed.notify_all()

    async def _follow(self, i: int, worker: Worker, job: Job) -> bool:
        loop = asyncio.get_running_loop()
        worker.send(job.what)
        self._last_place[i] = job.place or self._last_place[i]
        while True:
            said = await loop.run_in_executor(self._threads, worker.receive)
            if said["state"] == "told":
                job.stage = str(said["stage"])
            elif said["state"] == "done":
                job.result = said["result"]
                job.end("done")
                return True
            else:
                job.end("failed", str(said["error"]), 422 if said["mends"] else 500)
                return True
