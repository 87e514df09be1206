from __future__ import annotations

import os

import numpy as np
import pytest

from ecgdig import ort
from ecgdig.onnx_file import Graph, Node

pytest.importorskip("onnxruntime")


def doubled() -> bytes:
    """A network that adds its input to itself."""
    graph = Graph()
    value = Node(graph, "input_0")
    return graph.file(["input_0"], [value + value])


@pytest.mark.parametrize(("said", "threads"), [("1", 1), ("2,1", 2), ("", 0), ("many", 0)])
def test_threads_are_those_that_openmp_is_told(monkeypatch: pytest.MonkeyPatch, said: str, threads: int) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    session = ort.session(doubled())
    assert session.get_session_options().intra_op_num_threads == threads
    assert session.get_providers() == ["CPUExecutionProvider"]
    value = np.ones((1, 2, 3, 4), np.float32)
    np.testing.assert_array_equal(session.run(None, {"input_0": value})[0], 2 * value)


def test_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    ort.import_onnxruntime()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(Exception, match=r"(?i)protobuf|model"):
        ort.session(b"no network")
