"""Networks whose norms look at one strip at a time, for tests of what must not depend on the rest of a batch."""

from __future__ import annotations

from torch import nn

from ecgdig.tasks import TraceTask


class GroupNormTask(TraceTask):
    """`TraceTask` with group norm in the place of batch norm."""

    def configure_networks(self) -> None:
        super().configure_networks()
        _replace(self.net)


def _replace(net: nn.Module) -> None:
    for name, child in net.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(net, name, nn.GroupNorm(1, child.num_features))
        else:
            _replace(child)
