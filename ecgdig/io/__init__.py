"""Reading and writing recordings as files."""

from ecgdig.io.table import read_npz, write_csv, write_npz
from ecgdig.io.wfdb import RecordError, read_wfdb, safe_name, write_wfdb

__all__ = ["RecordError", "read_npz", "read_wfdb", "safe_name", "write_csv", "write_npz", "write_wfdb"]
