from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ecgdig.data import EpochSampler, Item, StripDataModule, StripDataset, open_sources
from ecgdig.formats import write_recording
from ecgdig.io import write_wfdb
from ecgdig.recording import Recording
from ecgdig.sources import Mixture, Simulator
from ecgdig.strip import StripSpec
from ecgdig.units import LEADS

SMALL = StripSpec(half_height_mm=8.0, px_per_mm_x=4.0, px_per_mm_y=4.0)
PRESETS = {"clean": 1.0, "photo": 1.0, "damaged": 1.0}


def strips(seed: int = 0, in_order: bool = False) -> StripDataset:
    return StripDataset(Simulator(50, seed=seed, duration_s=4.0), SMALL, 64, PRESETS, seed, 20, in_order)


def same(a: Item, b: Item) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k], equal_nan=k != "leads") for k in a)


def test_a_strip_and_its_truth_fit_together() -> None:
    data = strips()
    assert len(data) == 20
    printed = 0
    for i in range(12):
        item = data[i]
        assert {name: (value.shape, str(value.dtype)) for name, value in item.items()} == {
            "image": ((3, 64, 64), "uint8"),
            "height_px": ((128,), "float32"),
            "hidden": ((128,), "bool"),
            "mask": ((64, 64), "uint8"),
            "lead": ((128,), "int64"),
            "gain": ((), "float32"),
        }
        known = np.isfinite(item["height_px"])
        printed += int(known.sum())
        assert (item["lead"][known] >= 0).all()
        assert item["gain"] in (5.0, 10.0, 20.0)
        if known.all():  # the ink of the row lies on it
            rows = item["height_px"].reshape(-1, 2).mean(1).round().astype(int)
            assert np.median(item["mask"][rows, np.arange(64)]) > 60
    assert printed > 300


def test_an_item_is_a_pure_function_of_seed_and_index(global_state: Callable[[], object]) -> None:
    data, before = strips(3), global_state()
    first = data[5]
    assert not same(data[25], first)  # the next epoch's
    assert same(pickle.loads(pickle.dumps(data))[5], first)
    assert not same(strips(4)[5], first)
    assert global_state() == before


def test_held_out_items_take_the_recordings_in_turn() -> None:
    class Asked(Simulator):
        def __getitem__(self, index: int) -> Recording:
            asked.append(index)
            return super().__getitem__(index)

    asked: list[int] = []
    data = StripDataset(Asked(3, seed=0, duration_s=4.0), SMALL, 64, {"clean": 1.0}, 0, 20, in_order=True)
    for i in (0, 1, 2, 3, 7):
        data[i]
    assert asked == [0, 1, 2, 0, 1]


@pytest.mark.parametrize("world", [1, 2, 3])
def test_the_processes_share_an_epoch_and_epochs_do_not_repeat(world: int) -> None:
    samplers = [EpochSampler(12, rank, world) for rank in range(world)]
    seen = []
    for epoch in range(3):
        for sampler in samplers:
            sampler.set_epoch(epoch)
            assert len(list(sampler)) == len(sampler) == 12 // world
        assert sorted(i for sampler in samplers for i in sampler) == list(range(12 * epoch, 12 * epoch + 12))
        seen += [i for sampler in samplers for i in sampler]
    assert len(set(seen)) == 36


def module(workers: int, seed: int = 0) -> StripDataModule:
    return StripDataModule(
        width_px=64,
        spec=SMALL,
        presets=PRESETS,
        batch_size=4,
        strips_per_epoch=8,
        val_strips=6,
        workers=workers,
        seed=seed,
    )


def test_one_folder_or_several_are_named() -> None:
    assert StripDataModule(records="a", val_records="b").records == ["a"]
    assert StripDataModule(records="a", val_records="b").val_records == ["b"]
    assert StripDataModule(records=["a", "c"]).records == ["a", "c"]
    assert StripDataModule().records == []


def batches(data: StripDataModule, epochs: int = 1) -> list[dict[str, torch.Tensor]]:
    loader, out = data.train_dataloader(), []
    for epoch in range(epochs):
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]  # as Lightning does
        out += list(loader)
    return out


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than cores are meant here
def test_the_bytes_do_not_depend_on_the_number_of_workers() -> None:
    multiprocessing.set_forkserver_preload(["ecgdig.data"])  # torch is imported once, not by each worker
    alone = batches(module(0), epochs=2)
    assert [b["image"].shape for b in alone] == [(4, 3, 64, 64)] * 4
    for workers in (1, 4):
        for ours, theirs in zip(alone, batches(module(workers), epochs=2), strict=True):
            for name in ours:
                assert torch.equal(ours[name].nan_to_num(-1), theirs[name].nan_to_num(-1)), name
    images = torch.cat([b["image"] for b in alone])
    assert len({image.numpy().tobytes() for image in images}) == 16  # every epoch has fresh pages


def test_held_out_strips_are_the_same_in_every_epoch() -> None:
    data = module(0)
    loader = data.val_dataloader()
    assert not hasattr(loader.sampler, "set_epoch")
    first, again = list(loader), list(loader)
    assert [len(b["image"]) for b in first] == [4, 2]  # none is dropped
    assert all(torch.equal(a["image"], b["image"]) for a, b in zip(first, again, strict=True))
    training = {image.numpy().tobytes() for b in batches(data) for image in b["image"]}
    assert not training & {image.numpy().tobytes() for b in first for image in b["image"]}


def test_each_process_makes_its_own_share() -> None:
    shares = []
    for rank in (0, 1):
        data = module(0)
        data.trainer = SimpleNamespace(global_rank=rank, world_size=2)  # type: ignore[assignment]
        shares.append((list(data.train_dataloader().sampler), list(data.val_dataloader().sampler)))
    assert sorted(shares[0][0] + shares[1][0]) == list(range(8))
    assert sorted(shares[0][1] + shares[1][1]) == list(range(6))


@pytest.mark.parametrize("name", ["wfdb", "csv", "npz", "parquet", "dicom", "aecg", "edf"])
def test_recordings_of_any_format_are_trained_on(tmp_path: Path, name: str) -> None:
    recording = Simulator(1, seed=4)[0]
    file = write_recording(recording, tmp_path / "sub" / "r", [name])[0]
    for path in (tmp_path, file):
        source = open_sources([str(path)], None, 0.0, 0, 10)
        assert len(source) == 1
        np.testing.assert_allclose(
            source[0].select(LEADS).signal_mv[:, :4000], recording.signal_mv[:, :4000], atol=6e-4
        )


def test_sources_are_mixed_by_weight(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_wfdb(Recording(LEADS, 100.0, np.zeros((12, 200), np.float32)), tmp_path / name, "r")
    folders = [str(tmp_path / name) for name in ("a", "b")]
    assert isinstance(open_sources([], None, 0.1, 0, 10), Simulator)
    mixed = open_sources(folders, [3.0, 1.0], 0.2, 0, 100)
    assert isinstance(mixed, Mixture)
    np.testing.assert_allclose(mixed.share, [0.6, 0.2, 0.2])
    assert len(mixed) == 100
    recorded = open_sources(folders, None, 0.0, 0, 100)
    assert isinstance(recorded, Mixture)
    np.testing.assert_allclose(recorded.share, [0.5, 0.5])
    with pytest.raises(ValueError, match="2 folders of records and 3 weights"):
        open_sources(folders, [1.0, 1.0, 1.0], 0.1, 0, 10)


def test_hidden_columns_and_the_users_own_words(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("Herzklopfen\n\nohne Befund\n", encoding="utf-8")
    own, usual = (
        StripDataset(Simulator(50, duration_s=4.0), SMALL, 64, {"damaged": 1.0}, 0, 80, words=w)
        for w in (str(words), None)
    )
    assert own.words == ("Herzklopfen", "ohne Befund")
    assert len(usual.words) > 50
    items = [usual[i] for i in range(80)]
    hidden = np.concatenate([item["hidden"] for item in items])
    assert 0 < hidden.mean() < 0.2
    # what is hidden is printed: it has a lead
    assert (np.concatenate([item["lead"] for item in items])[hidden] >= 0).all()
    with pytest.raises(ValueError, match=r"empty.txt holds no words; want one note a line"):
        StripDataset(Simulator(1), SMALL, 64, {"clean": 1.0}, 0, 1, words=str(_empty(tmp_path)))


def _empty(folder: Path) -> Path:
    path = folder / "empty.txt"
    path.write_text("\n", encoding="utf-8")
    return path
