"""A torch network written as ONNX, with dynamic batch and width, and compared with what torch says."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from ecgdig.hub import parts
from ecgdig.hub.files import ONNX, CheckpointError, digest, read_config, write_config
from ecgdig.hub.onnx_net import INPUT, OUTPUTS, OnnxNet
from ecgdig.ort import import_onnxruntime

if TYPE_CHECKING:
    import onnx

    from ecgdig.hub.model import TraceModel

OPSET = 18  # the oldest that torch's exporter writes without converting
TOLERANCE = 1e-4  # of probabilities
_LEAST_HALVED = 1024  # numbers in a weight
_MOST = 4096  # strips in a batch, and multiples of the network's block in a width


def add_onnx(model: TraceModel, folder: Path) -> float:
    """Write model.onnx beside the weights of a checkpoint's folder and note it in config.json.

    Args:
        model: what `load(folder, runtime="torch")` gave.

    Returns:
        the largest difference of any probability from torch's, over random strips of three sizes.

    Raises:
        CheckpointError: onnxscript or onnxruntime is missing, or the ONNX network says something else than torch.
    """
    try:
        import onnxscript  # noqa: F401

        import_onnxruntime()
    except ImportError as error:
        raise CheckpointError(f"writing ONNX needs {error.name}; pip install 'ecgdig[export]'") from None
    data = _exported(model)
    off = difference(model, OnnxNet(data))
    if off > TOLERANCE:
        raise CheckpointError(f"{folder}: {ONNX} would differ from torch by {off:.2g}; want {TOLERANCE:g} or less")
    parts.write(folder / ONNX, data)
    about = {"sha256": digest(folder / ONNX), "opset": OPSET, "differs": float(f"{off:.2g}")}
    write_config(folder, {**read_config(folder), "onnx": about})
    return off


def difference(model: TraceModel, net: OnnxNet) -> float:
    """The largest difference of any probability between the two, over random strips of three sizes."""
    rng = np.random.default_rng(0)
    worst = 0.0
    for n, blocks in ((1, 1), (2, 5), (3, 8)):
        shape = (n, 3, model.spec.height_px, blocks * model.net.multiple)  # type: ignore[union-attr]
        strips = rng.integers(0, 256, shape, np.uint8)
        strips[:, :, ::7] //= 3  # lines, as on paper
        for ours, theirs in zip(model.chances(strips), net(strips), strict=True):
            worst = max(worst, float(np.abs(ours - theirs).max()))
    return worst


def _exported(model: TraceModel) -> bytes:
    """The network as an ONNX file."""
    import onnx

    with TemporaryDirectory() as folder:
        file = Path(folder) / ONNX
        _export(model, file)
        graph = onnx.load(file)
    _halve(graph)
    return bytes(graph.SerializeToString())


def _halve(graph: onnx.ModelProto) -> None:
    """Store weights that half precision holds exactly in half the bytes; they are made float32 when they are loaded."""
    import onnx
    from onnx import numpy_helper

    casts = []
    for weight in graph.graph.initializer:
        if weight.data_type != onnx.TensorProto.FLOAT:
            continue
        value = numpy_helper.to_array(weight)
        with np.errstate(over="ignore"):
            half = value.astype(np.float16)
        if value.size < _LEAST_HALVED or not np.array_equal(half.astype(np.float32), value):
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
    for k, cast in enumerate(casts):
        graph.graph.node.insert(k, cast)


def _export(model: TraceModel, file: Path) -> None:
    import torch
    from torch.export import Dim

    from ecgdig.tasks.trace_net import Chances

    multiple = model.net.multiple  # type: ignore[union-attr]
    example = torch.zeros(2, 3, model.spec.height_px, 2 * multiple, dtype=torch.uint8)
    width = multiple * Dim("blocks", min=1, max=_MOST)
    with _quiet(), torch.no_grad():
        torch.onnx.export(
            Chances(model.net),  # type: ignore[arg-type]
            (example,),
            file,
            dynamo=True,
            opset_version=OPSET,
            external_data=False,
            optimize=False,  # batch norm stays apart: weights are then what the checkpoint holds, in half precision
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_shapes={INPUT: {0: Dim("batch", min=1, max=_MOST), 3: width}},
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells its progress on standard output and warns of its own deprecations."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        level = logging.getLogger("onnxscript").level
        logging.getLogger("onnxscript").setLevel(logging.ERROR)
        try:
            yield
        finally:
            logging.getLogger("onnxscript").setLevel(level)
