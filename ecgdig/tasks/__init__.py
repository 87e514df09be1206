"""The Lightning modules. Importing the network alone brings no lightning."""

from typing import TYPE_CHECKING, Any

from ecgdig.tasks.trace_net import TraceNet, TraceOutput

if TYPE_CHECKING:
    from ecgdig.tasks.page import PageTask
    from ecgdig.tasks.sheet import SheetTask
    from ecgdig.tasks.trace import TraceTask

__all__ = ["PageTask", "SheetTask", "TraceNet", "TraceOutput", "TraceTask"]


def __getattr__(name: str) -> Any:
    if name == "TraceTask":
        from ecgdig.tasks.trace import TraceTask

        return TraceTask
    if name == "PageTask":
        from ecgdig.tasks.page import PageTask

        return PageTask
    if name == "SheetTask":
        from ecgdig.tasks.sheet import SheetTask

        return SheetTask
    raise AttributeError(f"module 'ecgdig.tasks' has no attribute {name!r}")
