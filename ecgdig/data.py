"""The `LightningDataModule`s: every page is made on the fly, as a pure function of (seed, index)."""

from __future__ import annotations

import multiprocessing
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
from torch.utils.data import DataLoader, Dataset, Sampler

from ecgdig.degrade import degrade
from ecgdig.degrade.handwriting import read_words
from ecgdig.degrade.wishes import Wishes
from ecgdig.memory import keep_freed_memory
from ecgdig.page.layout import Layout
from ecgdig.page.overlap import overlaps_mm
from ecgdig.page.render import render
from ecgdig.page.sample import sample_layout
from ecgdig.page.split import Split
from ecgdig.page.style import sample_style
from ecgdig.recording import Recording
from ecgdig.sources import Cached, Mixture, PtbXl, RecordingFolder, Simulator, Source
from ecgdig.strip import Strip, StripSpec, cut, trace_hidden, trace_mask, trace_px
from ecgdig.units import LEADS

Item = dict[str, Any]
DEFAULT_MIX = {"clean": 0.2, "print": 0.2, "scan": 0.3, "photo": 0.2, "damaged": 0.1}
TRAIN_FOLDS, VAL_FOLDS = (1, 2, 3, 4, 5, 6, 7, 8), (9,)  # of PTB-XL, as its authors recommend; 10 is for tests
VAL_SEED = 1_000_003  # of the pages of validation, the same in every run
_PAGE_STREAM = 1  # keeps a page's randomness apart from that of the sources, which have the same seed
_STRIP_MARGIN_MM = 1.0  # what is made of the image around a strip
_OVERLAP_MM = 4.0  # of other traces in its height make a segment twice as likely for training
_AT_AN_END, _AT_THE_START = 0.2, 0.35  # how often a strip holds an end of its row, and how often that is its start
_SEEN_AROUND_MM = 10.0  # what is drawn around a strip, so that curled paper does not run out


class DrawnPages(Dataset[Item]):
    """What the data sets share: item i is made of one page, which is a function of (seed, i).

    Args:
        source: where recordings come from.
        presets: degradation preset -> how often.
        seed: another seed, other pages.
        length: pages an epoch; the index goes on counting in the next one.
        in_order: take recording i of the source for item i (validation), not a random one.
        words: text file of what is written on pages by hand, one note a line; None: the built-in list.
    """

    def __init__(
        self, source: Source, presets: Mapping[str, float], seed: int, length: int, in_order: bool, words: str | None
    ) -> None:
        self.source, self.presets, self.seed, self.length = source, dict(presets), seed, length
        self.in_order, self.words = in_order, read_words(words)

    def __len__(self) -> int:
        return self.length

    def begun(self, index: int) -> tuple[np.random.Generator, Recording, str, Split]:
        """The randomness of an item, its recording and preset, and which looks it may have."""
        rng = np.random.default_rng([self.seed, _PAGE_STREAM, index])
        item = index % len(self.source) if self.in_order else int(rng.integers(len(self.source)))
        preset = pick_preset(rng, self.presets)
        # validation also sees what training never does
        return rng, self.source[item], preset, "all" if self.in_order else "train"


class StripDataset(DrawnPages):
    """Item i: one strip of one page with its truth.

    Items are dictionaries of arrays: `image` uint8 `(3, H, W)`, `height_px` float32 `(columns,)` (NaN = not printed),
    `hidden` bool `(columns,)` (something opaque lies on it, or the pen gave no ink),
    `mask` uint8 `(H, W)`, `lead` int64 `(columns,)` (number in `units.LEADS`, -1 = none of them), `gain` mm/mV.

    Args:
        source: where recordings come from.
        spec: size and resolution of strips.
        width_px: their width.
        presets: degradation preset -> how often.
        seed: another seed, other pages.
        length: pages an epoch; the index goes on counting in the next one.
        in_order: take recording i of the source for item i (validation), not a random one.
        words: text file of what is written on pages by hand, one note a line; None: the built-in list.
    """

    def __init__(
        self,
        source: Source,
        spec: StripSpec,
        width_px: int,
        presets: Mapping[str, float],
        seed: int,
        length: int,
        in_order: bool = False,
        words: str | None = None,
    ) -> None:
        super().__init__(source, presets, seed, length, in_order, words)
        self.spec, self.width_px = spec, width_px

    def __getitem__(self, index: int) -> Item:
        rng, recording, preset, split = self.begun(index)
        style = sample_style(rng, split)
        layout = sample_layout(recording, style, rng, split=split)
        width_mm = self.width_px / self.spec.px_per_mm_x
        row, left = (_anywhere if self.in_order else _where_it_is_hard)(rng, recording, layout, width_mm)
        segments = layout.row(row)
        middle = segments[0].baseline_mm
        off = (0.0, 0.0, 1.0, 1.0) if self.in_order else _misplaced(rng)
        strip = Strip(self.spec, left, middle + off[0], self.width_px, off[1], off[2], off[3])
        half = self.spec.half_height_mm
        seen, window = (
            (left - m, middle - half - m, left + width_mm + m, middle + half + m)
            for m in (_STRIP_MARGIN_MM, _SEEN_AROUND_MM)
        )
        dpi = float(np.exp(rng.uniform(np.log(110), np.log(330))))
        page = degrade(render(recording, layout, style, dpi, rng, window), preset, rng, seen, Wishes(self.words))
        columns = strip.columns_mm()
        lead = np.full(columns.shape, -1, np.int64)
        for s in segments:
            if s.lead.lstrip("-") in LEADS:
                lead[(columns >= s.x_mm) & (columns < s.end_mm)] = LEADS.index(s.lead.lstrip("-"))
        return {
            "image": np.ascontiguousarray(cut(page.image, page.warp, strip).transpose(2, 0, 1)),
            "height_px": trace_px(page, row, strip),
            "hidden": trace_hidden(page, row, strip),
            "mask": trace_mask(page, row, strip),
            "lead": lead,
            "gain": np.float32(segments[0].gain_mm_per_mv),
        }


def _anywhere(rng: np.random.Generator, recording: Recording, layout: Layout, width_mm: float) -> tuple[int, float]:
    """Any row, and the left edge (mm) of a strip anywhere on it."""
    row = int(rng.choice(sorted({s.row for s in layout.segments})))
    segments = layout.row(row)
    return row, float(rng.uniform(segments[0].x_mm - 0.4 * width_mm, segments[-1].end_mm - 0.7 * width_mm))


def _where_it_is_hard(
    rng: np.random.Generator, recording: Recording, layout: Layout, width_mm: float
) -> tuple[int, float]:
    """As `_anywhere`, but segments that others reach into are taken more often, and so are the ends of rows."""
    segments = layout.segments
    weight = np.array([s.width_mm for s in segments]) * (1 + overlaps_mm(recording, layout) / _OVERLAP_MM)
    segment = segments[int(rng.choice(len(segments), p=weight / weight.sum()))]
    row = layout.row(segment.row)
    if rng.random() < _AT_AN_END:
        edge = row[0].x_mm if rng.random() < _AT_THE_START else row[-1].end_mm
        return segment.row, edge - float(rng.uniform(0.1, 0.9)) * width_mm
    middle = float(rng.uniform(segment.x_mm, segment.end_mm))
    low, high = row[0].x_mm - 0.4 * width_mm, max(row[-1].end_mm - 0.7 * width_mm, row[0].x_mm - 0.4 * width_mm)
    return segment.row, float(np.clip(middle - 0.5 * width_mm, low, high))


def _misplaced(rng: np.random.Generator) -> tuple[float, float, float, float]:
    """How wrong a found geometry may be: baseline (mm), slope, scale along x and y."""
    return (
        float(rng.normal(0, 1.5)),
        float(rng.normal(0, 0.006)),
        float(np.exp(rng.normal(0, 0.015))),
        float(np.exp(rng.normal(0, 0.015))),
    )


def pick_preset(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    names = list(weights)
    p = np.array([weights[name] for name in names])
    return names[int(rng.choice(len(names), p=p / p.sum()))]


class EpochSampler(Sampler[int]):
    """Indices `epoch · n + i`, split over the processes of a DDP run: fresh pages every epoch, none twice.

    The epoch is part of the index because an attribute set on the dataset never reaches persistent workers.
    """

    def __init__(self, length: int, rank: int = 0, world_size: int = 1, epoch: int = 0) -> None:
        self.length, self.rank, self.world_size, self.epoch = length, rank, world_size, epoch

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length // self.world_size

    def __iter__(self) -> Iterator[int]:
        first = self.epoch * self.length
        return iter(range(first + self.rank, first + len(self) * self.world_size, self.world_size))


def open_sources(
    records: Sequence[str],
    weights: Sequence[float] | None,
    simulated: float,
    seed: int,
    length: int,
    folds: tuple[int, ...] = TRAIN_FOLDS,
) -> Source:
    """Folders of recordings, in any format of `ecgdig.formats.read_recording`, and the simulator, mixed by weight.

    Args:
        records: folders or single files; may be empty: then everything is simulated.
        weights: one per folder; default: all the same.
        simulated: the simulator's share, 0 to 1, where there are records.
        folds: of a folder that is PTB-XL's own, only these.
    """
    simulator = Simulator(n=length, seed=seed)
    if not records:
        return simulator
    folders: list[Source] = [Cached(_open(Path(path), folds)) for path in records]
    share = np.array([1.0] * len(folders) if weights is None else list(weights), np.float64)
    if len(share) != len(folders):
        raise ValueError(f"{len(folders)} folders of records and {len(share)} weights; give one weight for each")
    share = share / share.sum() * (1 - simulated)
    if simulated <= 0 and len(folders) == 1:
        return folders[0]
    if simulated <= 0:
        return Mixture(folders, share.tolist(), seed, length)
    return Mixture([*folders, simulator], [*share.tolist(), simulated], seed, length)


def _open(path: Path, folds: tuple[int, ...]) -> Source:
    return PtbXl(path, folds=folds) if (path / "ptbxl_database.csv").is_file() else RecordingFolder(path)


class PagesOnTheFly(L.LightningDataModule, ABC):
    """What both data modules share: sources, seeds and loaders."""

    def __init__(
        self,
        records: list[str] | str | None,
        weights: list[float] | None,
        simulated: float,
        val_records: list[str] | str | None,
        batch_size: int,
        lengths: tuple[int, int],
        workers: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.records, self.weights, self.simulated = _list(records), weights, simulated
        self.val_records = _list(val_records)
        self.batch_size, self.lengths, self.workers, self.seed = batch_size, lengths, workers, seed
        self._epochs = EpochSampler(lengths[0])

    def state_dict(self) -> dict[str, Any]:
        """Which epoch's pages come next; one that is not finished begins again."""
        finished = self.trainer is not None and self.trainer.is_last_batch
        return {"epoch": self._epochs.epoch + int(finished)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Where a run goes on: Lightning starts the workers before it tells the sampler the epoch."""
        self._epochs.epoch = state_dict["epoch"]

    @abstractmethod
    def dataset(self, source: Source, seed: int, training: bool) -> Dataset[Item]:
        """The items made from `source`, for training or for validation."""

    def train_dataset(self) -> Dataset[Item]:
        """What is trained on."""
        return self.dataset(self.train_source(), self.seed, True)

    def train_source(self) -> Source:
        """The recordings that are trained on."""
        return open_sources(self.records, self.weights, self.simulated, self.seed, 1_000_000)

    def val_source(self) -> Source:
        """The held-out recordings."""
        return open_sources(self.val_records, None, 0.0, VAL_SEED, self.lengths[1], VAL_FOLDS)

    def train_dataloader(self) -> DataLoader[Item]:
        return self._loader(self.train_dataset(), self.lengths[0], drop_last=True)

    def val_dataloader(self) -> DataLoader[Item]:
        return self._loader(self.dataset(self.val_source(), VAL_SEED, False), self.lengths[1], drop_last=False)

    def _loader(self, data: Dataset[Item], length: int, drop_last: bool) -> DataLoader[Item]:
        trainer = self.trainer
        rank, world = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        if self.workers:  # imported once, before the workers are forked from the server
            multiprocessing.set_forkserver_preload(["ecgdig.data"])
        # held-out items are the same in every epoch: Lightning would move an EpochSampler on in validation too
        held_out = range(rank, length // world * world, world)
        if drop_last:
            self._epochs = EpochSampler(length, rank, world, self._epochs.epoch)
        sampler: Iterable[int] = self._epochs if drop_last else held_out
        return DataLoader(
            data,
            batch_size=self.batch_size,
            sampler=sampler,
            num_workers=self.workers,
            drop_last=drop_last,
            persistent_workers=self.workers > 0,
            # a forked worker would share W&B's connection, which refuses that, and the threads of numba and OpenMP
            multiprocessing_context="forkserver" if self.workers else None,
            worker_init_fn=_single_threaded,
        )


class StripDataModule(PagesOnTheFly):
    """Strips for the trace task.

    Args:
        records: a folder of recordings to train on, or several; none: the built-in simulator alone.
        weights: how often each folder is drawn from.
        simulated: share of simulated recordings where there are records.
        val_records: folders of held-out records; none: held-out simulated ones.
        presets: degradation preset -> how often, in training.
        val_presets: the same in validation.
        width_px: strip width in training and validation.
        spec: size and resolution of strips.
        batch_size: strips per step and process.
        strips_per_epoch: an "epoch" is this many fresh strips, over all processes.
        val_strips: strips of each validation.
        workers: processes that make pages.
        seed: of all randomness in training; validation has pages of its own, the same in every run.
        words: text file of what is written on pages by hand, one note a line; default: a built-in list.
    """

    def __init__(
        self,
        records: list[str] | str | None = None,
        weights: list[float] | None = None,
        simulated: float = 0.1,
        val_records: list[str] | str | None = None,
        presets: dict[str, float] | None = None,
        val_presets: dict[str, float] | None = None,
        width_px: int = 256,
        spec: StripSpec | None = None,
        batch_size: int = 16,
        strips_per_epoch: int = 4096,
        val_strips: int = 324,
        workers: int = 2,
        seed: int = 0,
        words: str | None = None,
    ) -> None:
        lengths = (strips_per_epoch, val_strips)
        super().__init__(records, weights, simulated, val_records, batch_size, lengths, workers, seed)
        self.presets = presets or DEFAULT_MIX
        self.val_presets = val_presets or {"clean": 1.0, "scan": 1.0, "photo": 1.0}
        self.width_px, self.spec, self.words = width_px, spec or StripSpec(), words

    def dataset(self, source: Source, seed: int, training: bool) -> StripDataset:
        presets, length = (self.presets, self.lengths[0]) if training else (self.val_presets, self.lengths[1])
        return StripDataset(source, self.spec, self.width_px, presets, seed, length, not training, self.words)


def _list(folders: list[str] | str | None) -> list[str]:
    return [folders] if isinstance(folders, str) else folders or []


def _single_threaded(worker: int) -> None:
    """Each worker keeps to one core: the others belong to the network."""
    import cv2

    cv2.setNumThreads(1)
    keep_freed_memory()
