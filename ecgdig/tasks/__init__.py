"""The Lightning modules."""

from ecgdig.tasks.trace import TraceTask
from ecgdig.tasks.trace_net import TraceNet, TraceOutput

__all__ = ["TraceNet", "TraceOutput", "TraceTask"]
