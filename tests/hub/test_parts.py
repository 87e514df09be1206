from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_net import HPARAMS, SPEC, small_net

from ecgdig import hub
from ecgdig.commands import share
from ecgdig.hub import parts


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MOST_BYTES", 100)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("n, files", [(0, 1), (100, 1), (101, 2), (900, 9)])
def test_what_is_written_is_read_back(n: int, files: int, tmp_path: Path) -> None:
    data = np.random.default_rng(n).bytes(n)
    parts.write(tmp_path / "model.onnx", data)
    assert len(names(tmp_path)) == files
    assert all(file.stat().st_size <= 100 for file in tmp_path.iterdir())
    assert parts.exists(tmp_path / "model.onnx")
    assert parts.read(tmp_path / "model.onnx") == data
    assert b"".join(file.read_bytes() for file in sorted(tmp_path.iterdir())) == data  # as `cat` joins them


@pytest.mark.usefixtures("small_parts")
def test_what_was_there_before_goes_and_other_files_stay(tmp_path: Path) -> None:
    file, other = tmp_path / "model.onnx", tmp_path / "model.onnx.txt"
    other.write_bytes(b"notes")
    for n in (250, 90, 120, 350):
        parts.write(file, bytes(n))
        assert parts.read(file) == bytes(n)
        assert len(names(tmp_path)) == 1 + max(1, -(-n // 100))
    parts.remove(file)
    assert names(tmp_path) == ["model.onnx.txt"]
    assert not parts.exists(file)
    with pytest.raises(FileNotFoundError, match=r"model.onnx does not exist"):
        parts.read(file)


@pytest.mark.usefixtures("small_parts")
def test_too_much_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"model.onnx of 0 MB; want 0 MB or less"):
        parts.write(tmp_path / "model.onnx", bytes(901))
    assert not names(tmp_path)


def test_a_missing_part_is_as_a_missing_file() -> None:
    whole = ["a.part1of3", "a.part2of3", "a.part3of3"]
    assert parts.stored("a", [*reversed(whole), "config.json"]) == whole
    assert parts.stored("a", whole[1:]) == []
    assert parts.stored("a", [*whole[1:], "a.part1of2"]) == []  # of another time
    assert parts.stored("b", whole) == []
    assert parts.stored("a", ["a", *whole]) == ["a"]


def test_a_checkpoint_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strips = np.random.default_rng(0).integers(0, 256, (1, 3, 64, 32), np.uint8)
    answers = []
    for room in ("whole", "parts"):
        if answers:
            size = (tmp_path / "whole" / hub.WEIGHTS).stat().st_size
            monkeypatch.setattr(parts, "MOST_BYTES", 1 + size // 2)
        folder = hub.save(small_net(), HPARAMS, SPEC, tmp_path / room, {})
        share.main([str(folder), "--onnx"])
        answers.append([hub.load(folder, runtime=runtime).chances(strips) for runtime in ("torch", "onnx")])
    assert not (folder / hub.WEIGHTS).exists()
    assert len(parts.stored(hub.WEIGHTS, names(folder))) > 1
    for whole, divided in zip(*answers, strict=True):
        np.testing.assert_array_equal(whole[0], divided[0])
    config, before = (json.loads((tmp_path / room / hub.CONFIG).read_text()) for room in ("parts", "whole"))
    assert config["sha256"] == before["sha256"]  # of the whole, however it is stored
    (folder / parts.stored(hub.WEIGHTS, names(folder))[0]).write_bytes(b"something else")
    with pytest.raises(hub.CheckpointError, match=r"model.safetensors is not the file"):
        hub.load(folder, runtime="torch")
