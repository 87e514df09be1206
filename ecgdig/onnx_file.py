"""A convolutional network written as an ONNX file, without the library of that name.

Only what the small networks need: convolutions, sums, and values at twice the resolution. The file is Protocol Buffers,
the fields numbered as in onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

IR_VERSION, OPSET = 8, 18  # what onnxruntime 1.20, the oldest in use, reads
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_INT, _STRING, _INTS = 2, 3, 7  # AttributeProto.AttributeType


@dataclass(frozen=True)
class Node:
    """A value of a graph that is being written: float32 `(1, channels, h, w)`, by name."""

    graph: Graph
    name: str

    def __add__(self, other: Node) -> Node:
        return self.graph.node("Add", (self, other))


@dataclass(frozen=True, eq=False)
class Graph:
    """The nodes and constants of a network, in the order in which they were asked for."""

    nodes: list[bytes] = field(default_factory=list)
    constants: list[bytes] = field(default_factory=list)

    def node(self, kind: str, given: Sequence[Node], **attributes: int | str | Sequence[int]) -> Node:
        """What an operator of ONNX makes of what it is given."""
        out = Node(self, f"{kind}_{len(self.nodes)}")
        parts = [_text(1, value.name) for value in given] + [_text(2, out.name), _text(4, kind)]
        self.nodes.append(b"".join(parts + [_part(5, _attribute(*each)) for each in attributes.items()]))
        return out

    def constant(self, value: NDArray[np.float32] | NDArray[np.int64]) -> Node:
        name = f"constant_{len(self.constants)}"
        kind = _FLOAT if value.dtype == np.float32 else _INT64
        about = b"".join(_whole(1, side) for side in value.shape) + _whole(2, kind)
        self.constants.append(about + _text(8, name) + _part(9, np.ascontiguousarray(value).tobytes()))
        return Node(self, name)

    def convolved(self, value: Node, weight: Array, bias: Array, stride: int = 1, dilation: int = 1) -> Node:
        """As `ecgdig.convolve.convolved`; sides are divisible by the stride."""
        reach = dilation * (weight.shape[2] // 2)
        given = (value, self.constant(weight), self.constant(bias))
        return self.node("Conv", given, pads=(reach,) * 4, strides=(stride,) * 2, dilations=(dilation,) * 2)

    def grown(self, value: Node, like: Node) -> Node:
        """A value at twice the resolution, cut to the size of another."""
        nothing, factors = Node(self, ""), self.constant(np.array([1, 1, 2, 2], np.float32))
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        twice = self.node("Resize", (value, nothing, factors), **how)
        start, axes = (self.constant(np.array(v, np.int64)) for v in ([0, 0], [2, 3]))
        return self.node("Slice", (twice, start, self.node("Shape", (like,), start=2, end=4), axes))

    def file(self, inputs: Sequence[str], outputs: Sequence[Node]) -> bytes:
        """The whole network as an ONNX file."""
        parts = [_part(1, each) for each in self.nodes] + [_text(2, "ecgdig")] + [_part(5, c) for c in self.constants]
        parts += [_part(11, _value(name)) for name in inputs] + [_part(12, _value(out.name)) for out in outputs]
        return _whole(1, IR_VERSION) + _part(7, b"".join(parts)) + _part(8, _text(1, "") + _whole(2, OPSET))


def _value(name: str) -> bytes:
    """ValueInfoProto of float32 with four sides of any length."""
    shape = b"".join(_part(1, _text(2, f"{name}_{side}")) for side in "nchw")
    return _text(1, name) + _part(2, _part(1, _whole(1, _FLOAT) + _part(2, shape)))


def _attribute(name: str, value: int | str | Sequence[int]) -> bytes:
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _whole(20, _STRING)
    if isinstance(value, int):
        return _text(1, name) + _whole(3, value) + _whole(20, _INT)
    return _text(1, name) + b"".join(_whole(8, each) for each in value) + _whole(20, _INTS)


def _whole(number: int, value: int) -> bytes:
    """A field that holds a whole number, 0 or more."""
    return _varint(number << 3) + _varint(value)


def _text(number: int, value: str) -> bytes:
    return _part(number, value.encode())


def _part(number: int, value: bytes) -> bytes:
    """A field that holds bytes, a text or another message."""
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth bit says that more follow."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
