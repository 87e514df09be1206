"""What one visitor, and all of them together, may ask of the server."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Bounds in seconds, bytes and numbers.

    Attributes:
        job_s: a job that takes longer is stopped, its process killed.
        memory_mb: memory of a process that does jobs.
        upload_mb, upload_s: of one upload.
        pages, session_mb: that a session holds.
        sessions: at once; idle_s: after so long without a request a session and all that it holds is deleted.
        waiting: jobs of a session in the queue.
    """

    job_s: float = 120.0
    memory_mb: int = 3500
    upload_mb: int = 100
    upload_s: float = 300.0
    pages: int = 100
    session_mb: int = 2000
    sessions: int = 200
    idle_s: float = 1800.0
    waiting: int = 120
