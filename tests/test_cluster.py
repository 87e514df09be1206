"""Pages made and read on a local Ray cluster of several nodes, one of which dies; skipped without Ray."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from small_pages import small_plan

from ecgdig.batch import Request, jobs_of, run, run_on
from ecgdig.cluster import Cluster, ClusterError
from ecgdig.commands import digitize, render
from ecgdig.dataset import build, load
from ecgdig.hub import DEFAULT
from ecgdig.hub import load as load_model

ray = pytest.importorskip("ray", reason="needs Ray: pip install 'ecgdig[ray]'")
pytestmark = pytest.mark.slow
Content = Callable[[Path], dict[str, bytes]]
ROOT = Path(__file__).parents[1]


class Nodes:
    """A head without cores, and nodes of one core each."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster as RayCluster

        self._memory = {"object_store_memory": 80_000_000}
        watch = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
        head = {"num_cpus": 0, "_system_config": watch, **self._memory}
        self.cluster = RayCluster(initialize_head=True, head_node_args=head)
        self.nodes = [self.add(), self.add()]
        self.address: str = self.cluster.address

    def add(self) -> Any:
        return self.cluster.add_node(num_cpus=1, **self._memory)

    def kill(self, node: Any) -> None:
        self.cluster.remove_node(node, allow_graceful=False)
        self.nodes.remove(node)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    started = Nodes()
    yield started
    started.cluster.shutdown()


def test_a_node_dies_and_every_page_is_made_once(nodes: Nodes, tmp_path: Path, content: Content) -> None:
    plan = small_plan(10, "scan")
    told: list[int] = []

    def each(n: int) -> None:
        told.append(n)
        if sum(told) == 2:
            nodes.kill(nodes.nodes[0])

    report = build(plan, tmp_path / "ray", 1, each, Cluster(nodes.address))
    assert (report.before, report.pages, report.failures) == (0, 10, [])
    assert told == [0, *[1] * 10]
    assert len(nodes.nodes) == 1
    build(plan, tmp_path / "here", 0)
    assert content(tmp_path / "ray") == content(tmp_path / "here")


def test_readings_are_those_of_one_process(nodes: Nodes, tmp_path: Path, content: Content) -> None:
    build(small_plan(1, "clean", dpi=100.0), tmp_path / "pages", 0)
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "pages" / "images" / "noise.png"), noise)
    jobs, _ = jobs_of([str(tmp_path / "pages" / "images")])
    here = dict(run(jobs, Request(tmp_path / "here", DEFAULT), load_model(DEFAULT), 1))
    there = dict(run_on(Cluster(nodes.address), jobs, Request(tmp_path / "ray", DEFAULT)))
    assert content(tmp_path / "ray") == content(tmp_path / "here")
    assert set(there) == set(here) == set(jobs)
    for job, row in there.items():
        assert (row.file, row.status, row.error) == (here[job].file, here[job].status, here[job].error)
    assert {row.status for row in there.values()} >= {"failed"}
    assert len(content(tmp_path / "ray")) > 4


def killed(script: str, options: list[str], done: Callable[[], int], pages: int) -> None:
    """Start a job, and kill it, its process group with it, as soon as so many pages are done."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, str(ROOT / "scripts" / script), *options]
    job = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, start_new_session=True)
    until = time.monotonic() + 300
    while job.poll() is None and time.monotonic() < until and done() < pages:
        time.sleep(0.01)
    os.killpg(job.pid, signal.SIGKILL)
    assert job.wait() == -signal.SIGKILL, "the job was over before it could be killed"


def killed_and_resumed(folder: Path, content: Content, *ray_options: str) -> None:
    """Pages drawn by a job that is killed, then given again, are those of one process that nothing disturbs."""
    same = ["--preset", "scan", "--dpi", "60", "--scale", "usual", "--limit", "12", "--quiet"]
    options = ["--out", str(folder / "ray"), *same, "--engine", "ray", *ray_options]
    journal = folder / "ray" / ".journal.jsonl"
    killed("render.py", options, lambda: journal.read_bytes().count(b"\n") if journal.is_file() else 0, 3)
    assert not (folder / "ray" / "manifest.csv").exists()
    report = render.main(options)
    assert 1 <= report.before < 12
    assert (report.pages, report.failures) == (12, [])
    render.main(["--out", str(folder / "here"), *same, "--workers", "0"])
    assert content(folder / "ray") == content(folder / "here")


def test_a_killed_job_on_a_cluster_goes_on(nodes: Nodes, tmp_path: Path, content: Content) -> None:
    killed_and_resumed(tmp_path, content, "--ray-address", nodes.address)


def test_a_killed_job_of_readings_goes_on(
    nodes: Nodes, tmp_path: Path, content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    build(small_plan(4, "clean", dpi=80.0), tmp_path / "pages", 0)
    scans, ray_out = str(tmp_path / "pages" / "images"), tmp_path / "ray"
    same = [scans, "--format", "npz"]
    options = [*same, "--out", str(ray_out), "--engine", "ray", "--ray-address", nodes.address]
    killed("digitize.py", options, lambda: len(list(ray_out.rglob("*.json"))), 1)
    finished = len(list(ray_out.rglob("*.json")))
    assert 1 <= finished < 4
    capsys.readouterr()
    digitize.main(options)
    assert "pages were read before and are kept" in capsys.readouterr().out
    digitize.main([*same, "--out", str(tmp_path / "here"), "--workers", "1"])
    read, here = ({k: v for k, v in content(f).items() if k != "summary.csv"} for f in (ray_out, tmp_path / "here"))
    assert set(read) == set(here)
    assert read == here  # the summary has the seconds that each page took


# from here on without `nodes`: a Ray that this process starts and ends takes theirs along


def test_a_killed_job_with_a_ray_of_its_own_goes_on(tmp_path: Path, content: Content) -> None:
    killed_and_resumed(tmp_path, content, "--workers", "1")


def test_render_on_a_local_ray_goes_on(tmp_path: Path, content: Content) -> None:
    options = ["--preset", "clean", "--dpi", "60", "--engine", "ray", "--workers", "1"]
    render.main(["--out", str(tmp_path / "a"), "--limit", "1", *options])
    report = render.main(["--out", str(tmp_path / "a"), "--limit", "3", *options])
    assert (report.before, report.pages) == (1, 3)
    assert len(load(tmp_path / "a")) == 3


def test_a_task_that_always_dies_ends_in_one_line() -> None:
    def dies(task: int, shared: None) -> None:  # defined here: a process of Ray cannot import this file
        os._exit(1)

    with pytest.raises(ClusterError, match="died 6 times"):
        list(Cluster(workers=1).run(dies, [1], None))


def test_an_address_without_the_engine_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        render.main(["--out", str(tmp_path), "--limit", "1", "--ray-address", "host:6379"])
    assert stopped.value.code == 2
    assert "--engine ray" in capsys.readouterr().err
