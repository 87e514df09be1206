from __future__ import annotations

import numpy as np
import pytest

from ecgdig import ort
from ecgdig.convolve import convolved
from ecgdig.onnx_file import Graph, Node, _varint

pytest.importorskip("onnxruntime")


@pytest.mark.parametrize(
    ("value", "expected"), [(0, b"\0"), (1, b"\1"), (127, b"\x7f"), (128, b"\x80\1"), (300, b"\xac\2")]
)
def test_whole_numbers_are_written_seven_bits_a_byte(value: int, expected: bytes) -> None:
    assert _varint(value) == expected  # 300: the example of the encoding's documentation


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(1, 1, 1), (3, 1, 1), (3, 2, 1), (3, 1, 4), (5, 2, 1)])
def test_onnxruntime_makes_the_same_convolutions(kernel: int, stride: int, dilation: int) -> None:
    rng = np.random.default_rng(0)
    value = rng.normal(size=(52, 30, 4)).astype(np.float32)
    weight, bias = rng.normal(size=(6, 4, kernel, kernel)).astype(np.float32), rng.normal(size=6).astype(np.float32)
    graph = Graph()
    out = graph.convolved(Node(graph, "in"), weight, bias, stride, dilation)
    session = ort.session(graph.file(["in"], [out]))
    found = session.run(None, {"in": value.transpose(2, 0, 1)[None]})[0][0].transpose(1, 2, 0)
    np.testing.assert_allclose(found, convolved(value, weight, bias, stride, dilation), atol=1e-4)


def test_sums_and_values_at_twice_the_resolution() -> None:
    graph, value = Graph(), np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)
    one, like = Node(graph, "one"), Node(graph, "like")
    out = graph.grown(one, like) + like
    session = ort.session(graph.file(["one", "like"], [out]))
    (found,) = session.run(None, {"one": value, "like": np.full((1, 1, 4, 3), 10, np.float32)})
    assert found[0, 0].tolist() == [[10, 10, 11], [10, 10, 11], [12, 12, 13], [12, 12, 13]]
