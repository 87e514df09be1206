from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from small_net import HPARAMS, SPEC, small_net

from ecgdig import hub
from ecgdig.hub.card import push, write_card


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return hub.save(small_net(), HPARAMS, SPEC, tmp_path / "mine", {"sigma": [1.5, 0.03], "note": "12 strips"})


def test_a_card_says_what_the_config_says_and_is_written_once(folder: Path) -> None:
    card = write_card(folder)
    _, front, text = card.read_text().split("---\n", 2)
    assert yaml.safe_load(front)["library_name"] == "ecgdig"
    for said in (
        "# mine",
        "±8 mm at 4 x 4 px/mm",
        "tu-resnet10t",
        "(1.5 x spread)",
        "12 strips",
        hub.load(folder).sha256,
    ):
        assert said in text
    card.write_text("my own words")
    assert write_card(folder).read_text() == "my own words"


def test_only_the_checkpoints_files_are_pushed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []

    class Api:
        def create_repo(self, name: str, exist_ok: bool) -> str:
            if name != "clinic/mine":
                raise PermissionError(f"403 for {name}\nand more")
            return f"hub/{name}"

        def upload_folder(self, **what: Any) -> None:
            sent.append(what)

    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    for name in ("model.onnx.part1of2", "model.onnx.part2of2", "notes.txt"):
        (folder / name).write_text("")
    assert push(folder, "clinic/mine") == "hub/clinic/mine"
    assert sent[0]["folder_path"] == folder
    onnx = {"model.onnx.part1of2", "model.onnx.part2of2"}
    assert set(sent[0]["allow_patterns"]) == {"config.json", "model.safetensors", "README.md", *onnx}
    with pytest.raises(hub.CheckpointError, match=r"403 for elsewhere/mine.*log in") as caught:
        push(folder, "elsewhere/mine")
    assert "\n" not in str(caught.value)
