from __future__ import annotations

import asyncio
import queue
from dataclasses import replace
from typing import Any

import pytest

from ecgdig.web.dispatcher import Dispatcher, Job, QueueFullError
from ecgdig.web.limits import Limits


class Process:
    def __init__(self, worker: Hands) -> None:
        self.worker = worker

    alive = True

    def is_alive(self) -> bool:
        return self.alive


class Hands:
    """A worker that notes its jobs; `hang` never ends, `die` ends the worker."""

    log: list[str]

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.said: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.said.put({"state": "ready"})
        self.process = Process(self)

    def kill(self) -> None:
        self.process.alive = False
        self.said.put(None)

    def send(self, what: dict[str, Any]) -> None:
        self.log.append(what["kind"])
        if what["kind"] == "die":
            self.said.put(None)
        elif what["kind"] == "babble":
            self.said.put({"status": "fine"})
        elif what["kind"] != "hang":
            self.said.put({"state": "told", "stage": "half"})
            self.said.put({"state": "done", "result": {"was": what["kind"]}})

    def receive(self) -> dict[str, Any]:
        message = self.said.get()
        if message is None:
            raise EOFError
        return message


LIMITS = Limits(job_s=0.4, waiting=3)


def dispatcher(log: list[str], limits: Limits = LIMITS) -> Dispatcher:
    return Dispatcher(1, limits, lambda: Hands(log))  # type: ignore[arg-type, return-value]


def job(owner: str, kind: str) -> Job:
    return Job(owner, {"kind": kind})


def test_owners_take_turns() -> None:
    log: list[str] = []

    async def scene() -> None:
        desk = dispatcher(log)
        jobs = [job("many", f"a{i}") for i in range(3)] + [job("one", "b"), job("other", "c")]
        for each in jobs:
            await desk.submit(each)
        assert [desk.ahead_of(each) for each in jobs] == [0, 3, 4, 1, 2]
        with pytest.raises(QueueFullError):
            await desk.submit(job("many", "a3"))
        desk.open()
        for each in jobs:
            await each.ended.wait()
        assert (jobs[0].state, jobs[0].stage, jobs[0].result) == ("done", "half", {"was": "a0"})
        await desk.close()

    asyncio.run(scene())
    assert log == ["a0", "b", "c", "a1", "a2"]


@pytest.mark.parametrize(
    "kind, says", [("hang", "stopped after 0.4 s"), ("die", "more memory"), ("babble", "more memory")]
)
def test_a_job_that_hangs_or_kills_its_worker_fails_and_the_next_is_done(kind: str, says: str) -> None:
    async def scene() -> None:
        desk = dispatcher([])
        desk.open()
        bad = await desk.done(job("a", kind))
        assert (bad.state, bad.fault) == ("failed", 422)
        assert says in bad.error
        assert (await desk.done(job("a", "good"))).state == "done"
        await desk.close()

    asyncio.run(scene())


def test_cancelling_ends_a_job_wherever_it_is() -> None:
    log: list[str] = []

    async def scene() -> None:
        desk = dispatcher(log, replace(LIMITS, job_s=30))
        desk.open()
        running, waiting = await desk.submit(job("a", "hang")), await desk.submit(job("a", "never"))
        while running.state != "running":
            await asyncio.sleep(0.01)
        desk.cancel(waiting)
        desk.cancel(running)
        assert (running.state, waiting.state) == ("cancelled", "cancelled")
        assert (await desk.done(job("b", "next"))).state == "done"
        await desk.close()

    asyncio.run(scene())
    assert log == ["hang", "next"]


def test_a_worker_that_died_idle_costs_no_job() -> None:
    log: list[str] = []
    started: list[Hands] = []

    def start() -> Hands:
        started.append(Hands(log))
        return started[-1]

    async def scene() -> None:
        desk = Dispatcher(1, LIMITS, start)  # type: ignore[arg-type]
        desk.open()
        await desk.done(job("a", "first"))
        started[0].process.alive = False
        assert (await desk.done(job("a", "second"))).state == "done"
        await desk.close()

    asyncio.run(scene())
    assert log == ["first", "second"]
    assert len(started) == 2


def test_where_no_worker_starts_jobs_fail_with_a_sentence() -> None:
    def start() -> Hands:
        raise OSError("no memory")

    async def scene() -> None:
        desk = Dispatcher(1, LIMITS, start)  # type: ignore[arg-type]
        waiting = await desk.submit(job("a", "early"))
        desk.open()
        await asyncio.wait_for(waiting.ended.wait(), 5)
        late = await desk.done(job("a", "late"))
        for each in (waiting, late):
            assert (each.state, each.fault) == ("failed", 503)
            assert "ecgdig doctor" in each.error
        await desk.close()

    asyncio.run(scene())


def test_all_jobs_of_an_owner_or_a_place_end_together() -> None:
    ended: list[str] = []

    async def scene() -> None:
        desk = dispatcher([], replace(LIMITS, job_s=30))
        desk.open()
        jobs = [
            Job(owner, {"kind": "hang"}, place, then=lambda job: ended.append(job.owner + job.place))
            for owner, place in (("a", "x"), ("a", "y"), ("b", "x"), ("a", "x"))
        ]
        for each in jobs:
            await desk.submit(each)
        while jobs[0].state != "running":
            await asyncio.sleep(0.01)
        desk.cancel_all("a", "x")
        assert [each.state for each in jobs] == ["cancelled", "waiting", "waiting", "cancelled"]
        desk.cancel_all("a")
        assert [each.state for each in jobs][1:3] == ["cancelled", "waiting"]
        await desk.close()

    asyncio.run(scene())
    assert sorted(ended) == ["ax", "ax", "ay"]
