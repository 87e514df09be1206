import socket

import pytest

from ecgdig.commands import serve


@pytest.mark.parametrize(
    ("host", "alone"),
    [("localhost", True), ("127.0.0.1", True), ("127.3.2.1", True), ("::1", True), ("0.0.0.0", False), ("ward", False)],
)
def test_only_loopback_is_this_machine_alone(host, alone):
    assert serve.is_loopback(host) == alone


def test_a_port_in_use_is_said_in_one_line(capsys):
    pytest.importorskip("uvicorn")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as end:
            serve.main(["--port", str(port)])
    assert end.value.code == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith(f"serve: cannot listen on 127.0.0.1:{port}")
    assert said.endswith("try --port 0")
    assert "\n" not in said


@pytest.mark.parametrize("option", ["--memory-mb", "--upload-mb", "--job-seconds", "--workers"])
def test_limits_are_numbers_above_0(option, capsys):
    pytest.importorskip("uvicorn")
    with pytest.raises(SystemExit) as end:
        serve.main([option, "0"])
    assert end.value.code == 2
    assert f"{option} 0: want a number above 0" in capsys.readouterr().err
