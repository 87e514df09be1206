"""Tasks on a Ray cluster, or on this machine by Ray; each result comes once, whatever dies meanwhile."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

_QUEUED = 3  # tasks a core may have waiting
_RETRIES = 5  # of a task whose process or machine died: one that kills its process every time must end too

T = TypeVar("T")
R = TypeVar("R")


class ClusterError(ValueError):
    """Ray is missing, cannot be reached, or lost a task for good; the message is one line and says the remedy."""


@dataclass(frozen=True)
class Cluster:
    """Where tasks run.

    Attributes:
        address: of a running Ray cluster (`host:6379`, `ray://host:10001`, `auto`); None starts one on this machine.
        workers: cores of the one that is started; a running cluster has its own.
    """

    address: str | None = None
    workers: int = 1

    def run(self, function: Callable[[T, Any], R], tasks: Iterable[T], shared: Any) -> Iterator[tuple[T, R]]:
        """`function(task, shared)` of every task, in the order in which they end; one core each.

        A task whose process or machine died runs again elsewhere. Nothing is kept in the cluster: results are yielded
        once each, and no more than a few a core are waiting.

        Raises:
            ClusterError: no Ray, no cluster at the address, or a task that died again and again.
        """
        ray = _ray()
        ours = not ray.is_initialized()
        if ours:
            self._connect(ray)
        try:
            remote = ray.remote(num_cpus=1, max_retries=_RETRIES)(function)
            there = ray.put(shared)
            waiting = iter(tasks)
            running: dict[Any, T] = {}
            while True:
                # asked again each time: machines come and go
                room = _QUEUED * max(1, int(ray.cluster_resources().get("CPU", 1)))
                while len(running) < room and (task := next(waiting, None)) is not None:
                    running[remote.remote(task, there)] = task
                if not running:
                    return
                for reference in ray.wait(list(running), num_returns=1)[0]:
                    yield running.pop(reference), ray.get(reference)
        except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError, ray.exceptions.ObjectLostError):
            raise ClusterError(
                f"a task died {_RETRIES + 1} times, perhaps for want of memory; give the same command again, with "
                "machines that have more memory a core; it goes on where it stopped"
            ) from None
        finally:
            if ours:
                ray.shutdown()

    def _connect(self, ray: Any) -> None:
        how: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        try:
            if self.address is None:
                # "local": without it ray joins whatever cluster runs on this machine
                ray.init("local", num_cpus=max(self.workers, 1), include_dashboard=False, **how)
            else:
                ray.init(address=self.address, **how)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise ClusterError(
                f"{self.address or 'local Ray'}: cannot be reached ({reason}); start it with `ray start --head`, or "
                "leave out --ray-address"
            ) from None


def add_engine(parser: argparse.ArgumentParser) -> None:
    """`--engine` and `--ray-address`."""
    parser.add_argument(
        "--engine", default="local", choices=["local", "ray"], help="ray: pip install 'ecgdig[ray]'; also a cluster"
    )
    parser.add_argument(
        "--ray-address", metavar="HOST:PORT", help="of a running Ray cluster (default: one is started on this machine)"
    )


def cluster_of(options: argparse.Namespace, workers: int) -> Cluster | None:
    """The cluster that the command line asks for, None for none.

    Raises:
        ClusterError: no Ray here, or an address without --engine ray.
    """
    if options.engine == "ray":
        _ray()
        return Cluster(options.ray_address, workers)
    if options.ray_address:
        raise ClusterError(f"--ray-address {options.ray_address}: only with --engine ray; add it")
    return None


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder: path in it -> content."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise ClusterError("--engine ray needs Ray: pip install 'ecgdig[ray]'") from None
    return ray
