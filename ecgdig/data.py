"""The `LightningDataModule`s: every page is made on the fly, as a pure function of (seed, index)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
from torch.utils.data import DataLoader, Dataset, Sampler

from ecgdig.degrade import degrade
from ecgdig.page.render import render
from ecgdig.page.sample import sample_layout
from ecgdig.page.style import sample_style
from ecgdig.sources import Cached, Mixture, Simulator, Source, WfdbFolder
from ecgdig.strip import Strip, StripSpec, cut, trace_mask, trace_px
from ecgdig.units import LEADS

Item = dict[str, Any]
DEFAULT_MIX = {"clean": 0.2, "print": 0.2, "scan": 0.3, "photo": 0.2, "damaged": 0.1}
_SEEN_AROUND_MM = 10.0  # what is drawn around a strip, so that curled paper does not run out


class StripDataset(Dataset[Item]):
    """Item i: one strip of one page with its truth.

    Items are dictionaries of arrays: `image` uint8 `(3, H, W)`, `height_px` float32 `(columns,)` (NaN = not printed),
    `mask` uint8 `(H, W)`, `lead` int64 `(columns,)` (number in `units.LEADS`, -1 = none of them), `gain` mm/mV.

    Args:
        source: where recordings come from.
        spec: size and resolution of strips.
        width_px: their width.
        presets: degradation preset -> how often.
        seed: another seed, other pages.
        length: pages an epoch; the index goes on counting in the next one.
        in_order: take recording i of the source for item i (validation), not a random one.
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
    ) -> None:
        self.source, self.spec, self.width_px = source, spec, width_px
        self.presets, self.seed, self.length, self.in_order = dict(presets), seed, length, in_order

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Item:
        rng = np.random.default_rng([self.seed, index])
        item = index % len(self.source) if self.in_order else int(rng.integers(len(self.source)))
        recording = self.source[item]
        names = list(self.presets)
        weights = np.array([self.presets[name] for name in names])
        preset = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        style = sample_style(rng)
        layout = sample_layout(recording, style, rng)
        row = int(rng.choice(sorted({s.row for s in layout.segments})))
        segments = layout.row(row)
        width_mm = self.width_px / self.spec.px_per_mm_x
        left = float(rng.uniform(segments[0].x_mm - 0.4 * width_mm, segments[-1].end_mm - 0.7 * width_mm))
        middle = segments[0].baseline_mm
        off = (0.0, 0.0, 1.0, 1.0) if self.in_order else _misplaced(rng)
        strip = Strip(self.spec, left, middle + off[0], self.width_px, off[1], off[2], off[3])
        reach = self.spec.half_height_mm + _SEEN_AROUND_MM
        window = (left - _SEEN_AROUND_MM, middle - reach, left + width_mm + _SEEN_AROUND_MM, middle + reach)
        dpi = float(np.exp(rng.uniform(np.log(110), np.log(330))))
        page = degrade(render(recording, layout, style, dpi, rng, window), preset, rng)
        columns = strip.columns_mm()
        lead = np.full(columns.shape, -1, np.int64)
        for s in segments:
            if s.lead.lstrip("-") in LEADS:
                lead[(columns >= s.x_mm) & (columns < s.end_mm)] = LEADS.index(s.lead.lstrip("-"))
        return {
            "image": np.ascontiguousarray(cut(page.image, page.warp, strip).transpose(2, 0, 1)),
            "height_px": trace_px(page, row, strip),
            "mask": trace_mask(page, row, strip),
            "lead": lead,
            "gain": np.float32(segments[0].gain_mm_per_mv),
        }


def _misplaced(rng: np.random.Generator) -> tuple[float, float, float, float]:
    """How wrong a found geometry may be: baseline (mm), slope, scale along x and y."""
    return (
        float(rng.normal(0, 1.5)),
        float(rng.normal(0, 0.006)),
        float(np.exp(rng.normal(0, 0.015))),
        float(np.exp(rng.normal(0, 0.015))),
    )


class EpochSampler(Sampler[int]):
    """Indices `epoch · n + i`, split over the processes of a DDP run: fresh pages every epoch, none twice.

    The epoch is part of the index because an attribute set on the dataset never reaches persistent workers.
    """

    def __init__(self, length: int, rank: int = 0, world_size: int = 1) -> None:
        self.length, self.rank, self.world_size, self.epoch = length, rank, world_size, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length // self.world_size

    def __iter__(self) -> Iterator[int]:
        first = self.epoch * self.length
        return iter(range(first + self.rank, first + len(self) * self.world_size, self.world_size))


def open_sources(
    records: Sequence[str], weights: Sequence[float] | None, simulated: float, seed: int, length: int
) -> Source:
    """Folders of WFDB records and the simulator, mixed by weight.

    Args:
        records: folders or single records; may be empty: then everything is simulated.
        weights: one per folder; default: all the same.
        simulated: the simulator's share, 0 to 1, where there are records.
    """
    simulator = Simulator(n=length, seed=seed)
    if not records:
        return simulator
    folders: list[Source] = [Cached(WfdbFolder(Path(path))) for path in records]
    share = np.array([1.0] * len(folders) if weights is None else list(weights), np.float64)
    if len(share) != len(folders):
        raise ValueError(f"{len(folders)} folders of records and {len(share)} weights; give one weight for each")
    share = share / share.sum() * (1 - simulated)
    if simulated <= 0:
        return Mixture(folders, share.tolist(), seed, length)
    return Mixture([*folders, simulator], [*share.tolist(), simulated], seed, length)


class StripDataModule(L.LightningDataModule):
    """Strips for the trace task.

    Args:
        records: folders of WFDB records to train on (several allowed); none: the built-in simulator alone.
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
        seed: of all randomness.
    """

    def __init__(
        self,
        records: list[str] | None = None,
        weights: list[float] | None = None,
        simulated: float = 0.1,
        val_records: list[str] | None = None,
        presets: dict[str, float] | None = None,
        val_presets: dict[str, float] | None = None,
        width_px: int = 256,
        spec: StripSpec | None = None,
        batch_size: int = 16,
        strips_per_epoch: int = 4096,
        val_strips: int = 324,
        workers: int = 2,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.records, self.weights, self.simulated = records or [], weights, simulated
        self.val_records = val_records or []
        self.presets = presets or DEFAULT_MIX
        self.val_presets = val_presets or {"clean": 1.0, "scan": 1.0, "photo": 1.0}
        self.width_px, self.spec = width_px, spec or StripSpec()
        self.batch_size, self.strips_per_epoch, self.val_strips = batch_size, strips_per_epoch, val_strips
        self.workers, self.seed = workers, seed

    def train_dataloader(self) -> DataLoader[Item]:
        length = 1_000_000
        source = open_sources(self.records, self.weights, self.simulated, self.seed, length)
        data = StripDataset(source, self.spec, self.width_px, self.presets, self.seed, self.strips_per_epoch)
        trainer = self.trainer
        rank, world = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        return self._loader(data, EpochSampler(self.strips_per_epoch, rank, world), drop_last=True)

    def val_dataloader(self) -> DataLoader[Item]:
        seed = self.seed + 1_000_003  # never a page of training
        source = open_sources(self.val_records, None, 0.0, seed, self.val_strips)
        data = StripDataset(source, self.spec, self.width_px, self.val_presets, seed, self.val_strips, in_order=True)
        trainer = self.trainer
        rank, world = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        # the same strips in every epoch; Lightning would move an EpochSampler on here too
        held_out = range(rank, self.val_strips // world * world, world)
        return self._loader(data, held_out, drop_last=False)

    def _loader(self, data: StripDataset, sampler: Iterable[int], drop_last: bool) -> DataLoader[Item]:
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


def _single_threaded(worker: int) -> None:
    """Each worker keeps to one core: the others belong to the network."""
    import cv2

    cv2.setNumThreads(1)
