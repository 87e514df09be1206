"""`python scripts/train_names.py`: trains the small network that reads lead names, speed and gain in the ink map.

Pages of random layouts and looks are drawn, damaged and brought to the ink map in which rows are sought (by the true
geometry); crops of it around names, and elsewhere, are what the network sees. It learns a heat map for each token.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ecgdig.degrade import degrade
from ecgdig.io.atomic import whole_file
from ecgdig.locate.ink import ink_map
from ecgdig.locate.known import as_scanned, on_grid
from ecgdig.locate.names import STRIDE, TOKENS, WEIGHTS
from ecgdig.page import Page, render, sample_style
from ecgdig.page.layout import Segment
from ecgdig.page.sample import sample_layout
from ecgdig.sources import RecordingFolder, Simulator, Source
from ecgdig.tasks.name_net import NameNet, save
from ecgdig.units import PAPER_SPEEDS_MM_PER_S

PRESETS = {"clean": 0.4, "scan": 0.35, "photo": 0.15, "damaged": 0.1}
GAINS = (2.5, 5.0, 10.0, 20.0)
CROP = (128, 176)  # px of the ink map
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)(?:/(\d+(?:\.\d+)?))?\s*mm/(s|mV)")


def token_places(page: Page) -> list[tuple[int, float, float]]:
    """(token, x, y) in paper mm of what is printed on a page and can be read: the middles of names and numbers."""
    places = []
    for mark in page.marks:
        x0, y0, x1, y1 = mark.box_mm
        if mark.kind == "lead-name":
            lead = next(s.lead for s in page.layout.segments if (s.row, s.column) == (mark.row, mark.column))
            if lead in TOKENS:
                places.append((TOKENS.index(lead), 0.5 * (x0 + x1), 0.5 * (y0 + y1)))
        elif mark.kind == "footer":
            for form in _NUMBER.finditer(mark.text):
                token = f"{float(form[1]):g} mm/{form[3]}"
                middle = 0.5 * (form.start(1) + form.end(1)) / len(mark.text)
                if token in TOKENS and form[2] is None:
                    places.append((TOKENS.index(token), x0 + middle * (x1 - x0), 0.5 * (y0 + y1)))
    return places


def ink_of(page: Page, preset: str) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The ink map of a page, 0 to 255, and (token, column, row) of what can be read in it, `(n, 3)`."""
    if preset in {"photo", "damaged"}:
        page = as_scanned(page)
    warp = on_grid(page)
    found = ink_map(page.image, warp)
    places = token_places(page)
    if not places:
        return (255 * found.ink).astype(np.uint8), np.empty((0, 3), np.float32)
    mm = warp.to_mm(page.warp.to_px(np.array([(x, y) for _, x, y in places])))
    columns, rows = found.column(mm[:, 0]), found.row(mm[:, 1])
    at = np.stack([[token for token, *_ in places], columns, rows], axis=1).astype(np.float32)
    return (255 * found.ink).astype(np.uint8), at


def draw(source: Source, i: int, seed: int) -> tuple[Page, str]:
    """Page i for training, and its preset; a pure function of (seed, i)."""
    rng = np.random.default_rng([seed, i])
    recording = source[int(rng.integers(len(source)))]
    style = sample_style(rng, "train")
    while style.grid.kind == "none" or style.lettering.place == "none":
        style = sample_style(rng, "train")
    layout = sample_layout(recording, style, rng)
    if i % 3 == 2:  # speeds and gains that carts seldom use are to be read as well as the others
        speed, gain = (float(rng.choice(list(values))) for values in (PAPER_SPEEDS_MM_PER_S, GAINS))
        style = replace(style, furniture=replace(style.furniture, footer=True))
        layout = replace(layout, segments=tuple(_rescaled(s, speed, gain) for s in layout.segments))
    preset = str(rng.choice(list(PRESETS), p=list(PRESETS.values())))
    page = render(recording, layout, style, float(rng.uniform(110, 250)), rng)
    return degrade(page, preset, rng), preset


def _rescaled(s: Segment, speed: float, gain: float) -> Segment:
    """The same place on paper at another speed and gain."""
    ratio = s.speed_mm_per_s / speed
    return replace(
        s, speed_mm_per_s=speed, gain_mm_per_mv=gain, start_s=s.start_s * ratio, duration_s=s.duration_s * ratio
    )


def make_pages(source: Source, n: int, folder: Path, seed: int) -> None:
    """Ink maps of `n` pages as PNG files, with the places of their tokens; those that are there are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        file = folder / f"{i:05d}.png"
        if file.exists():
            continue
        ink, at = ink_of(*draw(source, i, seed))
        np.save(folder / f"{i:05d}.npy", at)
        with whole_file(file) as part:
            part.write_bytes(cv2.imencode(".png", ink, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())


def heat(at: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Target maps `(tokens, h, w)` at the network's stride: 1 at each token, falling off over a cell."""
    h, w = shape[0] // STRIDE, shape[1] // STRIDE
    y, x = np.mgrid[0:h, 0:w]
    maps = np.zeros((len(TOKENS), h, w), np.float32)
    for token, column, row in at:
        d = ((x + 0.5) * STRIDE - 0.5 - column) ** 2 + ((y + 0.5) * STRIDE - 0.5 - row) ** 2
        k = int(token)
        peak = np.exp(-d / (2 * (0.9 * STRIDE) ** 2))
        maps[k] = np.maximum(maps[k], peak / max(peak.max(), 0.3))
    return maps


def crops(folder: Path, seed: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Crops of the ink maps, 0 to 1, and their target maps, without end."""
    rng = np.random.default_rng(seed)
    files = sorted(folder.glob("*.png"))
    while True:
        for k in rng.permutation(len(files)):
            ink = np.asarray(cv2.imread(str(files[k]), cv2.IMREAD_GRAYSCALE), np.uint8)
            at = np.load(files[k].with_suffix(".npy"))
            for _ in range(6):
                yield _crop(ink, at, rng)


def _crop(
    ink: NDArray[np.uint8], at: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    h, w = CROP
    zoom = np.exp(rng.uniform(-0.2, 0.25, 2))
    if len(at) and rng.random() < 0.8:
        # every token as often as the others
        tokens = np.unique(at[:, 0])
        one = at[rng.choice(np.flatnonzero(at[:, 0] == rng.choice(tokens)))]
        centre = one[1:] + rng.uniform(-0.4, 0.4, 2) * [w, h]
    else:
        centre = rng.uniform(0, 1, 2) * ink.shape[::-1]
    # crop px = zoom * (page px - centre) + middle
    matrix = np.array([[zoom[0], 0, w / 2 - zoom[0] * centre[0]], [0, zoom[1], h / 2 - zoom[1] * centre[1]]])
    part = cv2.warpAffine(ink, matrix, (w, h), flags=cv2.INTER_AREA).astype(np.float32) / 255
    part = np.clip(part * rng.uniform(0.6, 1.6) + rng.normal(0, 0.03 * rng.random(), (h, w)), 0, 1)
    moved = at.copy()
    moved[:, 1:] = at[:, 1:] * zoom + matrix[:, 2]
    inside = (moved[:, 1] > -8) & (moved[:, 1] < w + 8) & (moved[:, 2] > -8) & (moved[:, 2] < h + 8)
    return part.astype(np.float32), heat(moved[inside], CROP)


def focal(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Penalty-reduced focal loss of heat maps (Law and Deng 2018, https://arxiv.org/abs/1808.01244), a token."""
    p = torch.sigmoid(logits).clamp(1e-4, 1 - 1e-4)
    at_peak = target > 0.95
    hit = ((1 - p) ** 2 * torch.log(p))[at_peak].sum()
    miss = ((1 - target) ** 4 * p**2 * torch.log(1 - p))[~at_peak].sum()
    return -(hit + miss) / at_peak.sum().clamp(min=1)


def train(folder: Path, steps: int, batch: int, seed: int) -> NameNet:
    torch.manual_seed(seed)
    net = NameNet()
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    source = crops(folder, seed)
    mean = 0.0
    for step in range(steps):
        pairs = [next(source) for _ in range(batch)]
        x, y = (torch.from_numpy(np.stack(part)) for part in zip(*pairs, strict=True))
        with torch.autocast("cpu", dtype=torch.bfloat16):  # twice as fast where the CPU has it
            logits = net(x[:, None])
        loss = focal(logits.float(), y)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        mean = loss.item() if step == 0 else 0.98 * mean + 0.02 * loss.item()
        if step % 50 == 49:
            print(f"step {step + 1}: loss {mean:.3f}", flush=True)
    return net.eval()


def main(args: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="train_names", description=__doc__)
    parser.add_argument("--records", help="folder of WFDB records; default: simulated ones")
    parser.add_argument("--pages", type=int, default=390, help="pages to draw (default: 390)")
    parser.add_argument("--steps", type=int, default=2400, help="batches (default: 2400)")
    parser.add_argument("--batch", type=int, default=16, help="crops a batch (default: 16)")
    parser.add_argument("--folder", default="runs/names", help="where the ink maps are kept (default: runs/names)")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--out", default=str(WEIGHTS), help="weights to write (default: those of the package)")
    options = parser.parse_args(args)
    source: Source = RecordingFolder(options.records) if options.records else Simulator(n=400, seed=options.seed)
    folder = Path(options.folder)
    make_pages(source, options.pages, folder, options.seed)
    save(train(folder, options.steps, options.batch, options.seed), Path(options.out))
