"""Values as plain JSON and back: dataclasses of this package, tuples, arrays, enums.

Every dataclass below `ecgdig` works, new ones included: a stage of a `Warp`, a style, a layout. Floats and arrays come
back bit for bit, so a warp that was stored maps mm <-> px exactly as the original did. Lists come back as tuples.
"""

from __future__ import annotations

import base64
import importlib
import math
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEPS = (
    1024  # floats that are whole multiples of 1 / 1024 (a field of shifts in mm, rounded to 1 µm) are stored as such
)
_LEVEL = 4  # of zlib: 6 % more bytes than 6 in half the time
_PACKAGE = "ecgdig."  # nothing else is imported when reading: a truth file must not be able to run code


def to_plain(value: Any) -> Any:
    """`value` as what `json.dumps` takes. Tags begin with `$`: `$class`, `$array`, `$enum`, `$float`.

    Raises:
        TypeError: a value of another kind (a function, a dataclass from elsewhere).
    """
    kind = type(value)
    if kind is str or kind is int or (kind is float and math.isfinite(value)):  # nearly all there is
        return value
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Enum):
        return {"$enum": _name_of(type(value)), "name": value.name}
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": repr(float(value))}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray):
        return _array_to_plain(value)
    if isinstance(value, list | tuple):
        if all(type(item) is int or (type(item) is float and math.isfinite(item)) for item in value):
            return list(value)  # a point, a box, a colour
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        if any(not isinstance(key, str) or key.startswith("$") for key in value):
            raise TypeError(f"keys {list(value)}; want text that does not begin with $")
        return {key: to_plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        name, names = _class_and_fields(type(value))
        return {"$class": name, **{field: to_plain(getattr(value, field)) for field in names}}
    raise TypeError(
        f"{type(value).__name__} {value!r} cannot be stored; make it a dataclass of ecgdig, array or number"
    )


def of_plain(data: Any) -> Any:
    """The value that `to_plain` made `data` from.

    Raises:
        ValueError: a class that this version of the package lacks, or whose fields differ.
    """
    if isinstance(data, list):
        return tuple(of_plain(item) for item in data)
    if not isinstance(data, dict):
        return data
    if "$array" in data:
        return _array_of(data)
    if "$float" in data:
        return float(data["$float"])
    if "$enum" in data:
        return getattr(_class_of(data["$enum"]), data["name"])
    if "$class" in data:
        kind = _class_of(data["$class"])
        if not (isinstance(kind, type) and is_dataclass(kind)):
            raise ValueError(f"{data['$class']} is no dataclass; the file was not written by ecgdig")
        make: Any = kind
        try:
            return make(**{key: of_plain(item) for key, item in data.items() if key != "$class"})
        except TypeError as error:
            raise ValueError(f"{data['$class']}: {error}; read the file with the version that wrote it") from None
    return {key: of_plain(item) for key, item in data.items()}


def _array_to_plain(array: NDArray[Any]) -> dict[str, Any]:
    """The array's bytes, compressed; where nothing is lost, floats as whole steps or at half their size."""
    if array.dtype.kind not in "biuf":
        raise TypeError(f"an array of {array.dtype}; only numbers are stored")
    stored, how = array, "plain"
    if array.dtype == np.float64:
        steps = array * _STEPS
        with np.errstate(invalid="ignore"):
            narrow = array.astype(np.float32)
            whole = np.round(steps)
        if array.size and np.isfinite(steps).all() and (whole == steps).all() and np.abs(whole).max() < 2**28:
            stored, how = _differences(whole.astype(np.int32)), "steps"
        elif np.array_equal(narrow.astype(np.float64), array, equal_nan=True):
            stored = narrow
    little = np.ascontiguousarray(stored).astype(stored.dtype.newbyteorder("<"))
    planes = little.reshape(-1).view(np.uint8).reshape(-1, little.itemsize).T  # bytes of equal weight together
    text = base64.b64encode(zlib.compress(planes.tobytes(), _LEVEL)).decode("ascii")
    shape = list(array.shape)
    return {"$array": text, "dtype": array.dtype.str, "stored": little.dtype.str, "how": how, "shape": shape}


def _array_of(data: Mapping[str, Any]) -> NDArray[Any]:
    stored = np.dtype(data["stored"])
    planes = np.frombuffer(zlib.decompress(base64.b64decode(data["$array"])), np.uint8)
    array = np.ascontiguousarray(planes.reshape(stored.itemsize, -1).T).view(stored).reshape(data["shape"])
    if data["how"] == "steps":
        return np.asarray(_sums(array.astype(np.int64)) / _STEPS)
    return np.asarray(array.astype(np.dtype(data["dtype"])))


def _differences(values: NDArray[np.int32]) -> NDArray[np.integer[Any]]:
    """Differences along the first two axes, in 16 bits where they fit: smooth fields leave small numbers."""
    out = values.astype(np.int64)
    for axis in range(min(2, values.ndim)):
        out = np.diff(out, axis=axis, prepend=0)
    return out.astype(np.int16 if np.abs(out).max() < 2**15 else np.int32)


def _sums(differences: NDArray[np.int64]) -> NDArray[np.int64]:
    for axis in range(min(2, differences.ndim)):
        differences = np.cumsum(differences, axis=axis)
    return differences


@lru_cache(maxsize=256)
def _class_and_fields(kind: Any) -> tuple[str, tuple[str, ...]]:
    return _name_of(kind), tuple(f.name for f in fields(kind) if f.init)


def _name_of(kind: type) -> str:
    if not kind.__module__.startswith(_PACKAGE):
        raise TypeError(f"{kind.__module__}.{kind.__qualname__} is no class of ecgdig and cannot be stored")
    return f"{kind.__module__}:{kind.__qualname__}"


def _class_of(name: str) -> Any:
    module, _, qualname = str(name).partition(":")
    if not module.startswith(_PACKAGE) or not qualname.isidentifier():
        raise ValueError(f"{name}: no class of ecgdig; the file was not written by it")
    try:
        return getattr(importlib.import_module(module), qualname)
    except (ImportError, AttributeError):
        raise ValueError(
            f"{name}: this version of ecgdig has no such class; read it with the one that wrote it"
        ) from None
