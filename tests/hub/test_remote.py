"""A hub on this machine, spoken to by the hub's own client; W&B's client replaced by one that knows one artifact."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from small_net import HPARAMS, SPEC, small_net

from ecgdig import hub
from ecgdig.hub.files import digest
from ecgdig.hub.remote import is_remote

COMMIT = "c0ffee" + 34 * "0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hub.save(small_net(), HPARAMS, SPEC, tmp_path_factory.mktemp("shared") / "mine", {"sigma": [1.5, 0.03]})


@pytest.fixture
def served(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Path]]:
    """Hub id -> folder; the client looks at this machine and keeps what it fetches in a folder of the test."""
    from huggingface_hub import constants

    repositories = {"clinic/reader": folder}

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            parts = self.path.strip("/").split("?")[0].split("/")
            info = parts[:2] == ["api", "models"]
            where = repositories.get("/".join(parts[2:4] if info else parts[:2]))
            if where is None:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                body = b""
            elif info:
                names = [{"rfilename": file.name} for file in sorted(where.iterdir())]
                body = json.dumps({"id": "clinic/reader", "sha": COMMIT, "siblings": names}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
            else:
                body = (where / parts[-1]).read_bytes()
                self.send_response(200)
                self.send_header("ETag", f'"{digest(where / parts[-1])}"')
                self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *told: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield repositories
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["clinic/reader", "hf:clinic/reader", "hf:clinic/reader@v1"])
def test_a_hub_id_gives_the_same_network(name: str, folder: Path, served: dict[str, Path]) -> None:
    ours, theirs = hub.load(folder), hub.load(name)
    assert (theirs.sha256, theirs.sigma, theirs.spec) == (ours.sha256, ours.sigma, ours.spec)


def test_a_pickle_from_the_hub_is_refused(served: dict[str, Path], tmp_path: Path) -> None:
    served["clinic/pickled"] = tmp_path / "pickled"
    served["clinic/pickled"].mkdir()
    (tmp_path / "pickled" / "pytorch_model.bin").write_bytes(b"harm")
    with pytest.raises(hub.CheckpointError, match=r"holds pytorch_model.bin, a pickle, .*model.safetensors"):
        hub.load("clinic/pickled")
    (tmp_path / "pickled" / "pytorch_model.bin").rename(tmp_path / "pickled" / "notes.txt")
    with pytest.raises(hub.CheckpointError, match=r"holds notes.txt; want config.json and model.safetensors"):
        hub.load("clinic/pickled")


def test_what_is_not_on_the_hub_lists_what_is_here(served: dict[str, Path]) -> None:
    with pytest.raises(hub.CheckpointError, match=hub.DEFAULT) as caught:
        hub.load("clinic/nothing")
    assert "\n" not in str(caught.value)


@pytest.fixture
def logged_in(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """W&B with one artifact, whose files can be changed."""
    import shutil

    import wandb

    files = {"files": ["config.json", "model.safetensors"]}

    def artifact(reference: str) -> Any:
        if reference != "clinic/ecg/reader:best":
            raise ValueError(f"artifact {reference} not found\nand more")
        entries = dict.fromkeys(files["files"])
        return SimpleNamespace(
            digest="d1",
            manifest=SimpleNamespace(entries=entries),
            download=lambda root: shutil.copytree(folder, root, dirs_exist_ok=True),
        )

    monkeypatch.setattr(wandb, "Api", lambda: SimpleNamespace(artifact=artifact))
    monkeypatch.setenv("WANDB_API_KEY", "k")
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("ECGDIG_CACHE", str(tmp_path / "cache"))
    return files


@pytest.mark.parametrize("name", ["clinic/ecg/reader:best", "wandb:clinic/ecg/reader:best"])
def test_an_artifact_gives_the_same_network(
    name: str, folder: Path, logged_in: dict[str, list[str]], tmp_path: Path
) -> None:
    assert hub.load(name).sha256 == hub.load(folder).sha256
    assert (tmp_path / "cache" / "wandb" / "d1" / "config.json").is_file()


def test_other_artifacts_are_refused_in_one_line(logged_in: dict[str, list[str]]) -> None:
    with pytest.raises(hub.CheckpointError, match=r"cannot be fetched .*not found\); .*trace-unet-small$"):
        hub.load("clinic/ecg/reader:v9")
    logged_in["files"] = ["best.ckpt"]
    with pytest.raises(hub.CheckpointError, match=r"holds best.ckpt, a pickle"):
        hub.load("clinic/ecg/reader:best")


def test_without_an_account_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    with pytest.raises(hub.CheckpointError, match="logged in"):
        hub.load("clinic/ecg/reader:best")


@pytest.mark.parametrize(
    "name, remote",
    [
        ("owner/name", True),
        ("hf:owner/name@main", True),
        ("entity/project/name:v3", True),
        ("project/name:latest", True),
        ("runs/mine", False),  # where there is a folder runs
        ("runs/mine/best.ckpt", False),
        ("owner/best.ckpt", False),
        ("trace-unet", False),
        ("../owner", False),
    ],
)
def test_names_of_remote_checkpoints(name: str, remote: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    assert is_remote(name) is remote
