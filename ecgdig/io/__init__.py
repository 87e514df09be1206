"""Reading and writing recordings as files."""

from ecgdig.io.table import is_csv_recording, read_csv, read_npz, write_csv, write_npz
from ecgdig.io.wfdb import RecordError, read_wfdb, safe_name, write_wfdb

__all__ = [
    "RecordError",
    "is_csv_recording",
    "read_csv",
    "read_npz",
    "read_wfdb",
    "safe_name",
    "write_csv",
    "write_npz",
    "write_wfdb",
]
