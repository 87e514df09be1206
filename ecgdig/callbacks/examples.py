"""Pages that the network reads at every validation, as a table with overlays; the worst with their errors."""

from __future__ import annotations

import csv
import warnings
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch import Callback, LightningModule, Trainer
from numpy.typing import NDArray

from ecgdig.callbacks.boards import fit, log, runs_of, tiled, write_picture
from ecgdig.data import VAL_SEED
from ecgdig.evaluate import Case, Outcome, rendered_cases, score_case
from ecgdig.hub import TraceModel
from ecgdig.io.atomic import whole_file
from ecgdig.io.wfdb import safe_name
from ecgdig.report.worst import residual_plot
from ecgdig.units import LEADS

PRESETS = ("clean", "scan", "photo")
LAYOUTS = ("3x4+1", "6x2", "3x4")  # 12x1 has three times as many strips to read
FACTS = ("epoch", "step", "record", "layout", "preset")
COLUMNS = (*FACTS, "snr_db", *(f"snr_db/{lead}" for lead in LEADS))
_LONGEST_PX = 1200


class ExamplePages(Callback):
    """Reads the same held-out pages at every validation, with their true geometry: what the network alone can do.

    `val/examples` is a table (record, layout, preset, SNR of each lead, overlay), `val/worst` the same of the worst
    pages with their errors drawn, `val/pages` the pages themselves, once. The run's folder holds the numbers of all
    validations in examples.csv and the last overlays in examples/, with and without W&B.

    Args:
        folder: of the run.
        n: how many pages: clean, scan and photo in turn; 0 = none.
        n_worst: how many of them are drawn with their errors.
    """

    def __init__(self, folder: Path, n: int = 4, n_worst: int = 2) -> None:
        self.folder, self.n, self.n_worst = folder, n, n_worst
        self.cases: list[Case] = []

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        made: Any = getattr(trainer, "datamodule", None)
        if made is None or not trainer.is_global_zero or self.n < 1 or not hasattr(pl_module, "spec"):
            return
        try:
            self.cases = example_cases(made.val_source(), self.n)
        except ValueError as error:  # records of three leads can be trained on, but not be drawn like this
            warnings.warn(f"no example pages: {error}", stacklevel=2)
            return
        if runs_of(trainer):
            import wandb

            pages = tiled([fit(case.image, 600) for case in self.cases], columns=3)
            log(trainer, {"val/pages": wandb.Image(pages, file_type="jpg")})

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking or not self.cases:
            return
        module: Any = pl_module
        model = TraceModel(module.net, module.spec, "training", "", (1.0, 0.02))
        outcomes = [score_case(case, model, true_geometry=True) for case in self.cases]
        rows = [(trainer.current_epoch, trainer.global_step, *_row(outcome)) for outcome in outcomes]
        _append(self.folder / "examples.csv", rows)
        pictures = [_picture(outcome) for outcome in outcomes]
        for outcome, picture in zip(outcomes, pictures, strict=True):
            name = f"{outcome.case.index}_{safe_name(outcome.case.name)}.jpg"
            write_picture(self.folder / "examples" / name, picture)
        if not runs_of(trainer):
            return
        import wandb

        table = wandb.Table(columns=[*COLUMNS, "overlay"])
        for row, picture in zip(rows, pictures, strict=True):
            table.add_data(*row, wandb.Image(picture, file_type="jpg"))
        worst = wandb.Table(columns=[*COLUMNS, "overlay", "errors"])
        at = COLUMNS.index("snr_db")
        for i in sorted(range(len(rows)), key=lambda i: rows[i][at])[: self.n_worst]:
            drawn = (wandb.Image(picture, file_type="jpg") for picture in (pictures[i], _errors(outcomes[i])))
            worst.add_data(*rows[i], *drawn)
        log(trainer, {"val/examples": table, "val/worst": worst})


def example_cases(source: Any, n: int) -> list[Case]:
    """`n` pages of a source, preset and layout in turn, each a function of its place alone.

    Raises:
        ValueError: a recording lacks leads of its layout, or is too short for it.
    """
    cases = []
    for k, preset in enumerate(PRESETS):
        layouts = LAYOUTS[k:] + LAYOUTS[:k]
        indices = range(k, min(n, len(source)), len(PRESETS))
        cases += list(islice(rendered_cases(source, preset, layouts, 200.0, VAL_SEED, indices), n))
    return sorted(cases, key=lambda case: case.index)


def _row(outcome: Outcome) -> tuple[Any, ...]:
    case, score = outcome.case, outcome.score
    leads = {lead: round(float(values["snr_db"]), 3) for lead, values in score.leads.items()}
    mean = round(float(score.page["snr_db"]), 3)
    return (case.name, case.facts["layout"], case.facts["preset"], mean, *(leads.get(lead) for lead in LEADS))


def _picture(outcome: Outcome) -> NDArray[np.uint8]:
    return fit(outcome.case.image if outcome.read is None else outcome.read.overlay(), _LONGEST_PX)


def _errors(outcome: Outcome) -> NDArray[np.uint8]:
    """Truth, reading and difference of every lead as a picture, uint8 RGB `(H, W, 3)`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if outcome.read is None:
        return fit(outcome.case.image, _LONGEST_PX)
    canvas: Any = FigureCanvasAgg(residual_plot(outcome.case.truth, outcome.read.recording))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _append(file: Path, rows: list[tuple[Any, ...]]) -> None:
    before = file.read_text() if file.is_file() else ",".join(COLUMNS) + "\n"
    with whole_file(file) as temporary, temporary.open("w", newline="") as out:
        out.write(before)
        csv.writer(out, lineterminator="\n").writerows(["" if v is None else v for v in row] for row in rows)
