"""The Lightning modules. Importing the network alone brings no lightning."""

from typing import TYPE_CHECKING, Any

from ecgdig.tasks.trace_net import TraceNet, TraceOutput

if TYPE_CHECKING:
    from ecgdig.tasks.trace import TraceTask

__all__ = ["TraceNet", "TraceOutput", "TraceTask"]


def __getattr__(name: str) -> Any:
    if name == "TraceTask":
        from ecgdig.tasks.trace import TraceTask

        return TraceTask
    raise AttributeError(f"module 'ecgdig.tasks' has no attribute {name!r}")
