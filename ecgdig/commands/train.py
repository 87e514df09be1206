"""Training: `python scripts/train.py --config unet.yaml [overrides]`."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint, WeightAveraging
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import CSVLogger, Logger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ecgdig.callbacks import ExamplePages, FirstStrips, JsonLines, ModelArtifact, Speed
from ecgdig.commands.voice import BAD_OPTION, Voice
from ecgdig.data import PagesOnTheFly
from ecgdig.hub import parts
from ecgdig.hub.checkpoint_io import WholeCheckpoints
from ecgdig.io import RecordError
from ecgdig.tasks.growing import grow
from ecgdig.tasks.trace import TraceTask
from ecgdig.tracking import wandb_mode

CONFIG_FOLDER = Path(__file__).parents[2] / "configs"


class TrainCLI(LightningCLI):
    """The command line: `model` and `data` are signatures of classes, `trainer` is Lightning's."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--run", type=str, default="trace", help="name of the run; its folder is runs/NAME")
        parser.add_argument("--resume", type=str, default=None, help="'last' or a .ckpt file to go on from")
        parser.add_argument("--init", type=str, default=None, help="weights to start from: .ckpt or .safetensors")
        parser.add_argument("--monitor", type=str, default="val/snr_db", help="the best checkpoint has most of this")
        parser.add_argument("--ema", type=float, default=0.998, help="decay of the averaged weights; 0 turns it off")
        parser.add_argument("--threads", type=int, default=0, help="CPU threads of the network; 0 = all cores")
        parser.add_argument("--examples", type=int, default=4, help="pages read and shown at each validation; 0 = none")
        parser.add_argument("--project", type=str, default="ecgdig", help="W&B project")
        parser.add_argument("--quiet", action="store_true", help="say only what failed")
        parser.add_argument("--json-lines", action="store_true", help="print the scores of each validation as JSON")


def main(args: Sequence[str] | None = None) -> Trainer:
    """Train as the command line says; returns the trainer, whose `callback_metrics` hold the last scores.

    Raises:
        SystemExit: 2 for a bad option, a missing file, an unreadable checkpoint or recording; a line says what to do.
    """
    try:
        return _train(list(sys.argv[1:] if args is None else args))
    except SystemExit as stop:
        if not isinstance(stop.code, str):
            raise
        print(f"train: {stop.code}", file=sys.stderr)
        raise SystemExit(BAD_OPTION) from None


def _train(args: list[str]) -> Trainer:
    voice = Voice("--quiet" in args, "--json-lines" in args)
    arguments = [*_with_config_folder(args), *_silent(voice)]
    # Lightning doubts that a program has read its own command line
    warnings.filterwarnings("ignore", "LightningCLI's args parameter is intended")
    cli = TrainCLI(
        LightningModule,
        LightningDataModule,
        subclass_mode_model=True,
        subclass_mode_data=True,
        run=False,
        args=arguments,
        trainer_defaults={"use_distributed_sampler": False, "logger": False},
        save_config_callback=None,
        seed_everything_default=0,
    )
    config = cli.config
    if config.threads:
        torch.set_num_threads(config.threads)
    folder = Path("runs") / run_name(config.run)
    resumed = _resume_path(config.resume, folder, cli.model)
    if config.init:
        load_weights(cli.model, Path(config.init))
    _check_records(cli.datamodule)
    if config.trainer.sync_batchnorm:
        check_batch_norms(cli.model)
    folder.mkdir(parents=True, exist_ok=True)
    cli.parser.save(config, folder / "config.yaml", overwrite=True, skip_validation=True)
    trainer = cli.trainer
    plain = json.loads(cli.parser.dump(config, format="json", skip_validation=True))
    if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:  # and not one that the user has named
        trainer.strategy.checkpoint_io = WholeCheckpoints()
    trainer.loggers = make_loggers(folder, folder.name, config.project, plain)
    callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]  # Lightning sets it outside the class
    callbacks.extend(make_callbacks(folder, config.monitor, config.ema, config.examples))
    callbacks.extend([JsonLines()] if voice.json_lines else [])
    # Lightning keeps checkpoint callbacks last, so that they see what the others logged
    callbacks.sort(key=lambda callback: isinstance(callback, ModelCheckpoint))
    try:
        trainer.fit(cli.model, cli.datamodule, ckpt_path=resumed)
    except RecordError as error:  # of a worker process it comes with a traceback, which it ends
        raise SystemExit(str(error).strip().splitlines()[-1].partition("RecordError: ")[2] or str(error)) from None
    return trainer


def _silent(voice: Voice) -> list[str]:
    """Options that keep Lightning from talking to people."""
    if voice.quiet and voice.json_lines:
        raise SystemExit("--quiet and --json-lines exclude each other; give one")
    if not (voice.quiet or voice.json_lines):
        return []
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return ["--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]


def _check_records(data: LightningDataModule) -> None:
    """Open the recordings that a data module names, before anything is trained.

    Raises:
        SystemExit: a folder without recordings, or one whose first cannot be read.
    """
    if not isinstance(data, PagesOnTheFly):
        return
    try:
        for source in (data.train_source(), data.val_source()):
            source[0]
    except (FileNotFoundError, RecordError) as error:
        raise SystemExit(str(error)) from None


def check_batch_norms(model: LightningModule) -> None:
    """Whether torch can synchronise every batch norm: it puts its own layer in its place, without an activation.

    Raises:
        SystemExit: some hold an activation, as those of many of timm's encoders do.
    """
    norms = (layer for layer in model.modules() if isinstance(layer, _BatchNorm))
    others = {type(layer).__name__ for layer in norms if not type(layer).__module__.startswith("torch.")}
    if others:
        raise SystemExit(
            f"sync_batchnorm: torch would replace {', '.join(sorted(others))}, activation and all; give "
            "--trainer.sync_batchnorm false, or another encoder"
        )


def run_name(name: str) -> str:
    """The run's name; under a W&B sweep, whose agent starts one after the other, with the id of this one."""
    number = os.environ.get("WANDB_RUN_ID")
    return f"{name}-{number}" if number and os.environ.get("WANDB_SWEEP_ID") else name


def make_loggers(folder: Path, run: str, project: str, config: dict[str, Any]) -> list[Logger]:
    """A CSV log in `folder`, and W&B: online when logged in, else offline; `WANDB_MODE` has the last word."""
    mode = wandb_mode()
    _set_aside(folder / "log" / "metrics.csv")
    table = CSVLogger(folder, name="", version="log")
    if mode == "disabled":
        return [table]
    os.environ["WANDB_MODE"] = mode
    os.environ.setdefault("WANDB_SILENT", "true")
    board = WandbLogger(name=run, project=project, save_dir=str(folder.absolute()), offline=mode == "offline")
    board.log_hyperparams({"config": config})
    return [table, board]


@rank_zero_only
def _set_aside(table: Path) -> None:
    """Keep the table of an earlier start of this run as metrics_1.csv, metrics_2.csv ...; the logger deletes it."""
    if table.exists():
        table.rename(table.with_name(f"metrics_{1 + len(list(table.parent.glob('metrics_*.csv')))}.csv"))


def make_callbacks(folder: Path, monitor: str, ema: float, examples: int) -> list[Any]:
    """Best and last checkpoint in `folder`, averaged weights, rates in the log, examples, the model as artifact."""
    callbacks: list[Any] = [
        LearningRateMonitor("step"),
        Speed(),
        FirstStrips(folder),
        ExamplePages(folder, examples),  # before the averaged weights are taken out again
        ModelArtifact(folder, monitor),
        ModelCheckpoint(
            dirpath=folder,
            filename="best",
            monitor=monitor,
            mode="max",
            enable_version_counter=False,
            auto_insert_metric_name=False,  # '/' in a name would make folders
        ),
        # with save_last of the one above, last.ckpt would be that of the last *better* epoch
        ModelCheckpoint(dirpath=folder, filename="last", enable_version_counter=False),
    ]
    if ema > 0:
        callbacks.append(RisingEma(ema))
    return callbacks


class RisingEma(WeightAveraging):
    """Exponential moving average of the weights whose decay rises from 0.1 to `decay`.

    With a constant decay the first thousand steps would be validated on weights that are mostly the initial ones. The
    schedule min(decay, (1 + n) / (10 + n)) is that of TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, decay: float) -> None:
        def average(old: Tensor, new: Tensor, n: Tensor | int) -> Tensor:
            if not new.is_floating_point():  # counters of batch norm
                return new
            return torch.lerp(new, old, min(decay, (1 + int(n)) / (10 + int(n))))

        super().__init__(avg_fn=average)


def load_weights(model: LightningModule, path: Path) -> None:
    """Start from the weights of a Lightning checkpoint or a safetensors file of the same network, or a smaller one.

    Raises:
        SystemExit: the file is missing, not a checkpoint, or of another network.
    """
    from safetensors.torch import load as from_bytes

    try:
        if path.suffix == ".safetensors":
            state = {f"net.{name}": value.float() for name, value in from_bytes(parts.read(path)).items()}
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
        if isinstance(model, TraceTask) and _shapes(state) != _shapes(model.state_dict()):
            grow(model.net, {name.removeprefix("net."): value for name, value in state.items()})
        else:
            model.load_state_dict(state)
    except Exception as error:
        raise SystemExit(
            f"cannot start from {path}: {_reason(error)}; give a checkpoint of the same network, or of a smaller one"
        ) from None


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items()}


def _check_resumable(model: LightningModule, path: Path) -> None:
    """Whether a run of `model` can go on from `path`, before Lightning fails amid a traceback.

    Raises:
        SystemExit: the file is damaged, holds weights alone, or is of another network.
    """
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        if "loops" not in saved:
            raise ValueError("it holds no state of a run")
        model.load_state_dict(saved["state_dict"])
    except Exception as error:
        raise SystemExit(
            f"cannot resume from {path}: {_reason(error)}; give best.ckpt or last.ckpt of this run"
        ) from None


def _reason(error: Exception) -> str:
    """What went wrong, without what torch advises then: to load the file in a way that runs code from it."""
    return (str(error).splitlines() or [type(error).__name__])[0].partition(". ")[0].rstrip(":")


def _with_config_folder(arguments: list[str]) -> list[str]:
    """`--config unet.yaml` is looked up in configs/ when there is no such file here."""
    out = []
    for before, argument in zip(["", *arguments], arguments, strict=False):
        name = argument.removeprefix("--config=")
        is_config = before in {"--config", "-c"} or argument.startswith("--config=")
        if is_config and not Path(name).exists() and (CONFIG_FOLDER / name).exists():
            argument = argument.replace(name, str(CONFIG_FOLDER / name))
        elif is_config and not Path(name).exists():
            there = ", ".join(sorted(path.name for path in CONFIG_FOLDER.glob("*.yaml")))
            raise SystemExit(f"no config {name!r} here or in configs/, which has {there}")
        out.append(argument)
    return out


def _resume_path(resume: str | None, folder: Path, model: LightningModule) -> str | None:
    if resume is None:
        return None
    path = folder / "last.ckpt" if resume == "last" else Path(resume)
    if not path.exists():
        raise SystemExit(f"nothing to resume: {path} does not exist; leave --resume out to start afresh")
    _check_resumable(model, path)
    return str(path)
