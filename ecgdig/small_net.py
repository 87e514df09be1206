"""The small convolutional networks that find what is where, run by what is there: onnxruntime, torch or numpy.

A network is a function of its layers and its inputs, written once: it is called with arrays or tensors, or with the
nodes of an ONNX file that is written so. All three give the same to 1e-5; onnxruntime takes a third of numpy's time.
torch is used only where something else has imported it already.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, Self, TypeVar

import numpy as np
from safetensors.numpy import load_file

from ecgdig import ort
from ecgdig.convolve import Array, convolved
from ecgdig.onnx_file import Graph, Node


class Value(Protocol):
    """What goes through the layers: an array, a tensor or a node."""

    def __add__(self, other: Self) -> Self: ...


T = TypeVar("T", bound=Value)
Runtime = Literal["onnx", "torch", "numpy"]


class Layers(ABC, Generic[T]):
    """The layers of a network with its weights, for one kind of values."""

    def __init__(self, weights: dict[str, Array]) -> None:
        self._weights = weights

    def layer(self, name: str, value: T, stride: int, dilation: int) -> T:
        """A convolution with zeros around, and what is negative made 0."""
        return self._positive(self._convolved(name, value, stride, dilation))

    def head(self, name: str, value: T) -> T:
        """A convolution alone."""
        return self._convolved(name, value, 1, 1)

    @abstractmethod
    def grown(self, value: T, like: T) -> T:
        """A value at twice the resolution, cut to the size of another."""

    @abstractmethod
    def _convolved(self, name: str, value: T, stride: int, dilation: int) -> T: ...

    @abstractmethod
    def _positive(self, value: T) -> T: ...


Net = Callable[..., tuple[Any, ...]]  # (layers, inputs ...) -> outputs


def run(net: Net, weights: Path, *inputs: Array, runtime: Runtime | None = None) -> tuple[Array, ...]:
    """What a network makes of its inputs.

    Args:
        net: (layers, inputs ...) -> outputs, a function of a module.
        weights: its safetensors file.
        inputs: float32 `(h, w, channels)` each; sides divisible by the strides they go through.
        runtime: what runs it; else the fastest that is there.
    """
    runtime = runtime or _fastest()
    if runtime == "onnx":
        names = [f"input_{i}" for i in range(len(inputs))]
        given = {name: value[None] for name, value in zip(names, inputs, strict=True)}
        return tuple(np.asarray(out[0], np.float32) for out in _session(net, weights, len(inputs)).run(None, given))
    if runtime == "torch":
        return _in_torch(net, _weights(weights), inputs)
    return net(_InNumpy(_weights(weights)), *inputs)


def _fastest() -> Runtime:
    if ort.has_onnxruntime():
        return "onnx"
    return "torch" if "torch" in sys.modules else "numpy"


@lru_cache(maxsize=6)
def _weights(file: Path) -> dict[str, Array]:
    return {name: value.astype(np.float32) for name, value in load_file(file).items()}


@lru_cache(maxsize=6)
def _session(net: Net, weights: Path, n_inputs: int) -> Any:
    return ort.session(onnx_file(net, _weights(weights), n_inputs))


def onnx_file(net: Net, weights: dict[str, Array], n_inputs: int) -> bytes:
    """A network as an ONNX file: inputs `input_0` ..., float32 `(1, h, w, channels)`, and outputs alike."""
    graph = Graph()
    names = [f"input_{i}" for i in range(n_inputs)]
    inputs = [graph.node("Transpose", (Node(graph, name),), perm=(0, 3, 1, 2)) for name in names]
    outputs = net(_InOnnx(graph, weights), *inputs)
    return graph.file(names, [graph.node("Transpose", (out,), perm=(0, 2, 3, 1)) for out in outputs])


class _InNumpy(Layers[Array]):
    def grown(self, value: Array, like: Array) -> Array:
        return value.repeat(2, axis=0).repeat(2, axis=1)[: like.shape[0], : like.shape[1]]

    def _convolved(self, name: str, value: Array, stride: int, dilation: int) -> Array:
        return convolved(value, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"], stride, dilation)

    def _positive(self, value: Array) -> Array:
        return np.maximum(value, 0, out=value)


class _InOnnx(Layers[Node]):
    def __init__(self, graph: Graph, weights: dict[str, Array]) -> None:
        super().__init__(weights)
        self._graph = graph

    def grown(self, value: Node, like: Node) -> Node:
        return self._graph.grown(value, like)

    def _convolved(self, name: str, value: Node, stride: int, dilation: int) -> Node:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return self._graph.convolved(value, weight, bias, stride, dilation)

    def _positive(self, value: Node) -> Node:
        return self._graph.node("Relu", (value,))


def _in_torch(net: Net, weights: dict[str, Array], inputs: tuple[Array, ...]) -> tuple[Array, ...]:
    import torch
    from torch.nn import functional as F

    class InTorch(Layers[torch.Tensor]):
        def grown(self, value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
            return F.interpolate(value, scale_factor=2.0, mode="nearest")[..., : like.shape[2], : like.shape[3]]

        def _convolved(self, name: str, value: torch.Tensor, stride: int, dilation: int) -> torch.Tensor:
            weight, bias = (torch.from_numpy(self._weights[f"{name}.{part}"]) for part in ("weight", "bias"))
            return F.conv2d(value, weight, bias, stride, dilation * (weight.shape[2] // 2), dilation)

        def _positive(self, value: torch.Tensor) -> torch.Tensor:
            return torch.relu_(value)

    with torch.inference_mode():  # an array seen so has its channels last, as these convolutions like it
        given = [torch.from_numpy(np.ascontiguousarray(value)).permute(2, 0, 1)[None] for value in inputs]
        return tuple(np.ascontiguousarray(out[0].permute(1, 2, 0).numpy()) for out in net(InTorch(weights), *given))
