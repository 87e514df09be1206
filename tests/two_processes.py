"""Two processes of a DDP run, as threads: what each adds to a sum over all reaches the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
import torch
from torch import Tensor

from ecgdig.tasks import processes

T = TypeVar("T")


class _Group:
    """What `ecgdig.tasks.processes` asks `torch.distributed`."""

    def __init__(self) -> None:
        self.rank = threading.local()
        self.given: list[Tensor] = [torch.empty(0)] * 2
        self.met = threading.Barrier(2, timeout=60)

    def is_available(self) -> bool:
        return True

    def is_initialized(self) -> bool:
        return hasattr(self.rank, "number")

    def get_world_size(self) -> int:
        return 2

    def all_reduce(self, value: Tensor) -> None:
        self.given[self.rank.number] = value.clone()
        self.met.wait()
        value.copy_(self.given[0] + self.given[1])
        self.met.wait()


def in_two(work: Callable[[int], T]) -> list[T]:
    """What `work(rank)` returns in the process of each rank."""
    group = _Group()

    def one(rank: int) -> T:
        group.rank.number = rank
        return work(rank)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(processes, "dist", group)
        return list(pool.map(one, (0, 1)))


def gradient(net: torch.nn.Module, loss: Tensor) -> Tensor:
    """Of all parameters, in a row; zeros where one has no part in the loss."""
    some = torch.autograd.grad(loss, list(net.parameters()), allow_unused=True, materialize_grads=True)
    return torch.cat([g.flatten() for g in some])
