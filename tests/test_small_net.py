from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from safetensors.numpy import save_file

from ecgdig import small_net
from ecgdig.grid import overview
from ecgdig.locate import names, sheet
from ecgdig.small_net import Layers, Runtime, T, onnx_file, run

RNG = np.random.default_rng(5)


def noise(*shape: int) -> np.ndarray:  # type: ignore[type-arg]
    return RNG.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("runtime", get_args(Runtime))
@pytest.mark.parametrize(
    ("net", "weights", "inputs"),
    [
        pytest.param(sheet._answers, sheet.WEIGHTS, (noise(64, 104, 12),), id="sheet"),
        pytest.param(names._answers, names.WEIGHTS, (noise(60, 92, 1),), id="names"),
        pytest.param(overview._answers, overview.WEIGHTS, (noise(36, 44, 64), noise(5, 6, 288)), id="page"),
    ],
)
def test_all_runtimes_give_what_numpy_gives(net, weights: Path, inputs, runtime: Runtime) -> None:  # type: ignore[no-untyped-def]
    expected, found = run(net, weights, *inputs, runtime="numpy"), run(net, weights, *inputs, runtime=runtime)
    assert [out.shape for out in found] == [out.shape for out in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, atol=1e-4)


def only_grown(of: Layers[T], page: T, like: T) -> tuple[T]:
    """The identity, at twice the resolution."""
    return (of.grown(of.layer("same", page, 1, 1), like),)


@pytest.mark.parametrize("runtime", get_args(Runtime))
def test_a_grown_value_is_cut_to_the_size_of_the_other(tmp_path: Path, runtime: Runtime) -> None:
    save_file({"same.weight": np.ones((1, 1, 1, 1), np.float16), "same.bias": np.zeros(1, np.float16)}, tmp_path / "w")
    page = np.arange(6, dtype=np.float32).reshape(2, 3, 1)
    (out,) = run(only_grown, tmp_path / "w", page, np.zeros((3, 5, 1), np.float32), runtime=runtime)
    assert out[..., 0].tolist() == [[0, 0, 1, 1, 2], [0, 0, 1, 1, 2], [3, 3, 4, 4, 5]]


@pytest.mark.parametrize(
    ("installed", "imported", "expected"),
    [(True, True, "onnx"), (True, False, "onnx"), (False, True, "torch"), (False, False, "numpy")],
)
def test_torch_runs_them_only_where_it_is_imported_already(
    monkeypatch: pytest.MonkeyPatch, installed: bool, imported: bool, expected: Runtime
) -> None:
    monkeypatch.setattr("ecgdig.ort.has_onnxruntime", lambda: installed)
    monkeypatch.setattr(sys, "modules", {**({"torch": None} if imported else {})})
    assert small_net._fastest() == expected


def test_the_onnx_file_is_one() -> None:
    onnx = pytest.importorskip("onnx")
    for net, weights, n in ((sheet._answers, sheet.WEIGHTS, 1), (overview._answers, overview.WEIGHTS, 2)):
        model = onnx.load_from_string(onnx_file(net, small_net._weights(weights), n))
        onnx.checker.check_model(model, full_check=True)
        assert [value.name for value in model.graph.input] == [f"input_{i}" for i in range(n)]
