from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest
from ink_net import ink_model
from readings import folders
from small_pages import SEED, small_plan

from ecgdig.commands import digitize, evaluate, render
from ecgdig.dataset import build
from ecgdig.io import remote

Content = Callable[[Path], dict[str, bytes]]
SMALL = ["--preset", "clean", "--dpi", "60", "--scale", "usual", "--seed", str(SEED), "--workers", "0"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECGDIG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    pytest.importorskip("s3fs", reason="needs s3fs: pip install 'ecgdig[cloud]'")
    moto = pytest.importorskip("moto.server", reason="needs moto, of the dev extra")
    started = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    started.start()
    host, port = started.get_host_and_port()
    yield f"http://{host}:{port}"
    started.stop()


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty folder."""
    if request.param == "s3":
        monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("server"))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        fsspec.filesystem("s3").clear_instance_cache()
        fsspec.filesystem("s3").makedirs("bucket", exist_ok=True)
    url = f"{request.param}://bucket/folder"
    system, root = fsspec.core.url_to_fs(url)
    for file in system.find(root):
        system.rm_file(file)
    return url


def there(url: str) -> dict[str, bytes]:
    system, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    return {path.removeprefix(root).strip("/"): system.cat_file(path) for path in system.find(root)}


def upload(url: str, folder: Path) -> None:
    system, root = fsspec.core.url_to_fs(url)
    for file in folder.rglob("*"):
        if file.is_file():
            system.pipe_file(f"{root}/{file.relative_to(folder).as_posix()}", file.read_bytes())


def test_pages_in_a_bucket_are_those_of_a_folder_and_can_be_gone_on_with(
    store: str, tmp_path: Path, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    render.main(["--out", store, "--limit", "1", *SMALL])
    monkeypatch.setenv("ECGDIG_CACHE", str(tmp_path / "another-machine"))
    report = render.main(["--out", store, "--limit", "3", *SMALL])
    assert (report.before, report.pages) == (1, 3)
    build(small_plan(3, "clean"), tmp_path / "here", 0)
    here = {name: data for name, data in content(tmp_path / "here").items() if name != ".lock"}
    assert there(store) == here


def test_a_run_that_was_cut_goes_on_elsewhere(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox = remote.Outbox(store)

    class Cut(Exception):
        pass

    def cut(n: int) -> None:
        outbox.push()
        if list((outbox.path / "images").glob("p000001.*")):
            raise Cut

    with pytest.raises(Cut):
        build(small_plan(3, "clean"), outbox.path, 0, cut)
    assert "manifest.csv" not in there(store)
    listed = [json.loads(line) for line in there(store)[".journal.jsonl"].splitlines()]
    assert all(row["image"] in there(store) for row in listed)
    monkeypatch.setenv("ECGDIG_CACHE", str(tmp_path / "another-machine"))
    assert render.main(["--out", store, "--limit", "3", *SMALL]).before == len(listed) == 2
    assert ".journal.jsonl" not in there(store)


def test_readings_go_to_a_bucket(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(digitize, "load", lambda name, **how: ink_model())
    build(small_plan(1, "clean", dpi=100.0), tmp_path / "pages", 0)
    upload(f"{store}/scans", tmp_path / "pages" / "images")
    upload(f"{store}/scans", _text(tmp_path / "bad"))
    command = [f"{store}/scans", "--out", f"{store}/readings", "--format", "npz", "--workers", "1"]
    with pytest.raises(SystemExit) as stopped:
        digitize.main(command)
    assert stopped.value.code == 1
    assert f"{store}/scans/text.png: not a picture" in capsys.readouterr().err
    read = there(f"{store}/readings")
    assert {"p000000.npz", "p000000.json", "p000000_overlay.png", "summary.csv"} == set(read)
    assert f"{store}/scans/p000000.jpg,1,p000000," in read["summary.csv"].decode()
    monkeypatch.setenv("ECGDIG_CACHE", str(tmp_path / "another-machine"))
    with pytest.raises(SystemExit):
        digitize.main(command)
    assert "1 pages were read before" in capsys.readouterr().out


def _text(folder: Path) -> Path:
    folder.mkdir()
    (folder / "text.png").write_text("not a picture")
    return folder


def test_scores_of_a_bucket_are_those_of_the_folder(store: str, tmp_path: Path) -> None:
    read, truth = folders(tmp_path, 3)
    upload(f"{store}/read", Path(read))
    upload(f"{store}/truth", Path(truth))
    files = ["--json", f"{store}/s.json", "--html", f"{store}/s.html", "--resume", f"{store}/run.jsonl"]
    command = ["--predictions", f"{store}/read", "--truth", f"{store}/truth", *files]
    summary = evaluate.main(command)
    local = evaluate.main(["--predictions", read, "--truth", truth])
    assert summary["metrics"] == local["metrics"]
    assert (
        json.loads(there(store)["s.json"])["what"] == f"predictions of {store}/read against the truth of {store}/truth"
    )
    assert there(store)["run.jsonl"].count(b"\n") == 4
    assert evaluate.main(command)["metrics"] == local["metrics"]


@pytest.mark.parametrize(
    "url, why",
    [
        ("s3://no-such-bucket/folder", "bucket"),
        ("nothing://bucket/folder", "Protocol not known"),
        ("memory://empty/folder", "nothing there"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    url: str,
    why: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if url.startswith("s3"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("server"))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        fsspec.filesystem("s3").clear_instance_cache()
    with pytest.raises(SystemExit) as stopped:
        render.main([url, "--out", "pages", "--limit", "1", *SMALL])
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert url in line
    assert why in line


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks(url: str, **how: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", lacks)
    with pytest.raises(remote.RemoteError, match=r"s3://bucket/folder: .*ecgdig\[cloud\]"):
        remote.fetched("s3://bucket/folder")


def test_plain_paths_import_nothing() -> None:
    code = (
        "import sys; from ecgdig.io.remote import Outbox, fetched; before = set(sys.modules); "
        "assert fetched('a/b') == 'a/b'; Outbox('a').push(); assert set(sys.modules) == before; "
        "assert 's3fs' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
