import json
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


@pytest.mark.parametrize(
    ("option", "least", "value"),
    [
        *(("--memory-mb", 500, value) for value in ("0", "0.5", "nan", "inf", "-3")),
        ("--upload-mb", 1, "0.5"),
        ("--job-seconds", 1, "0"),
        ("--workers", 1, "0"),
    ],
)
def test_limits_are_numbers_that_a_page_can_be_read_within(option, least, value, capsys):
    pytest.importorskip("uvicorn")
    with pytest.raises(SystemExit) as end:
        serve.main([f"{option}={value}"])
    assert end.value.code == 2
    assert f"{option} {value}: want {least} or more" in capsys.readouterr().err


def test_the_address_is_one_that_others_can_open():
    assert serve.address_name("0.0.0.0") == serve.address_name("::") == socket.gethostname()
    assert serve.address_name("::1") == "[::1]"
    assert serve.address_name("127.0.0.1") == "127.0.0.1"
    assert serve.address_name("ward-3") == "ward-3"


@pytest.mark.parametrize(
    ("voice", "shown"), [([], "open http://"), (["--quiet"], "open http://"), (["--json-lines"], "{")]
)
def test_the_address_is_said_to_people_or_programs(voice, shown, capsys, monkeypatch):
    uvicorn = pytest.importorskip("uvicorn")
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: [each.close() for each in sockets])
    serve.main(["--port", "0", *voice])
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(shown)
    if voice == ["--json-lines"]:
        assert json.loads(line)["address"].startswith("http://127.0.0.1:")
