"""Connections that are cut off where the other side keeps the server waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class TimedConnection(H11Protocol):
    """uvicorn's connection with three limits that it lacks; what is sent with an upload has limits of its own.

    Attributes:
        head_s: the first line and the headers of a request come within this; so does what is left of a body after
            its answer.
        stall_s: an answer that nobody takes is given up after this.
    """

    head_s: ClassVar[float] = 20.0
    stall_s: ClassVar[float] = 60.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._coming, self._taking = _Clock(), _Clock()
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taking.start(self.loop, self.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._taking.stop()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._coming.stop()
        self._taking.stop()

    def _watch(self) -> None:
        """Run the clock while something is owed; bytes that come do not set it back."""
        answered = self.cycle is None or self.cycle.response_complete
        if answered and self.timeout_keep_alive_task is None and self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._coming.start(self.loop, self.head_s, self.transport.abort)
        else:  # a request is being answered, or none has begun
            self._coming.stop()


class _Clock:
    """Does something after a while unless it is stopped before."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop, after_s: float, do: Callable[[], None]) -> None:
        if self._timer is None:
            self._timer = loop.call_later(after_s, do)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
