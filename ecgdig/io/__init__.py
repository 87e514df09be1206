"""Reading and writing recordings as files."""

from ecgdig.io.wfdb import RecordError, read_wfdb, safe_name, write_wfdb

__all__ = ["RecordError", "read_wfdb", "safe_name", "write_wfdb"]
