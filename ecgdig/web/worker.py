"""A process that does jobs: it holds the network, and may be killed at any time without loss to others.

Parent and worker exchange JSON over a pipe; the parent never unpickles what a worker, which decodes files of strangers,
sends.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

READY = {"state": "ready"}
_MOST_FILE_BYTES = 2_000_000_000
_MOST_THREADS = 4  # of a worker: whoever corrects a page waits for it, and most of the time nobody else does


class Worker:
    """A worker process and the pipe to it."""

    def __init__(self, checkpoint: str, runtime: str, memory_mb: int) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_work, args=(theirs, checkpoint, runtime, memory_mb), daemon=True
        )
        self.process.start()
        theirs.close()

    def send(self, job: dict[str, Any]) -> None:
        self.pipe.send_bytes(json.dumps(job).encode())

    def receive(self) -> dict[str, Any]:
        """The next message: `{"state": "ready"}`, `told`, `done` or `failed`.

        Raises:
            EOFError, OSError: the worker is gone.
        """
        message: dict[str, Any] = json.loads(self.pipe.recv_bytes(10_000_000))
        return message

    def kill(self) -> None:
        """End the process, whatever it is doing; it writes nothing any more when this returns."""
        self.process.kill()
        self.process.join(5)


def _work(pipe: Connection, checkpoint: str, runtime: str, memory_mb: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    threads = min(len(os.sched_getaffinity(0)), _MOST_THREADS)
    os.environ["OMP_NUM_THREADS"] = str(threads)  # of the network
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # small matrices in a loop would only wake its threads
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_FILE_BYTES, _MOST_FILE_BYTES))
    import cv2

    from ecgdig.hub import load
    from ecgdig.web.tasks import Tasks

    cv2.setNumThreads(threads)
    tasks = Tasks(load(checkpoint, runtime=runtime))
    limit = memory_mb * 1_000_000
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))  # private memory, not the libraries that are mapped

    def say(state: str, **more: Any) -> None:
        pipe.send_bytes(json.dumps({"state": state, **more}).encode())

    say("ready")
    with contextlib.suppress(EOFError, OSError):
        while True:
            job = json.loads(pipe.recv_bytes())
            try:
                result = tasks.do(job, lambda stage: say("told", stage=stage))
            except MemoryError:
                say("failed", error="this needs more memory than a job may have; give a smaller picture", mends=True)
            except (ValueError, OSError) as error:
                say("failed", error=_line(error, job), mends=True)
            except Exception as error:  # whatever a file does to the libraries that read it
                say("failed", error=f"internal error ({type(error).__name__}); please report it", mends=False)
            else:
                say("done", result=result)


def _line(error: Exception, job: dict[str, Any]) -> str:
    """What went wrong, in one line without the names of the server's folders."""
    text = " ".join(str(error).split()) or type(error).__name__
    for where in sorted(_paths(job), key=len, reverse=True):
        text = text.replace(f"{where}: ", "").replace(f"{where}/", "").replace(where, "the file")
    return text[:500]


def _paths(value: object) -> list[str]:
    """The folders and files that a job names."""
    if isinstance(value, dict):
        return [path for part in value.values() for path in _paths(part)]
    return [value] if isinstance(value, str) and os.path.isabs(value) else []
