from __future__ import annotations

import pytest

from ecgdig.web.worker import _line


@pytest.mark.parametrize(
    "said, shown",
    [
        ("/tmp/x/s/p/upload: damaged picture", "damaged picture"),
        (
            "[Errno 2] No such file or directory: '/tmp/x/s/r/reading.pickle'",
            "[Errno 2] No such file or directory: 'reading.pickle'",
        ),
        ("cannot write /tmp/x/s/out", "cannot write the file"),
        ("two\n lines", "two lines"),
        ("", "ValueError"),
    ],
)
def test_errors_name_no_folder_of_the_server(said: str, shown: str) -> None:
    job = {"kind": "read", "file": "/tmp/x/s/p/upload", "before": {"reading": "/tmp/x/s/r"}, "into": "/tmp/x/s/out"}
    assert _line(ValueError(said), job) == shown
