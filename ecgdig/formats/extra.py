"""Libraries that only some formats need, imported when they are used."""

from __future__ import annotations

import importlib
from typing import Any

from ecgdig.io.wfdb import RecordError

LIBRARIES = {"pyarrow": "Parquet", "pydicom": "DICOM", "pyedflib": "EDF+"}  # package -> what for


def imported(module: str) -> Any:
    """A module of one of `LIBRARIES`.

    Raises:
        RecordError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        what = LIBRARIES[package]
        raise RecordError(f"{what} needs {package}, which is not installed; pip install 'ecgdig[formats]'") from None


def reason(error: BaseException, most: int = 200) -> str:
    """What an error of another library says, on one line."""
    return " ".join(str(error).split())[:most] or type(error).__name__
