from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path

import pytest
import torch
import yaml
from lightning.pytorch import LightningDataModule, LightningModule
from safetensors.torch import save_file
from wandb_file import finished, history, records

from ecgdig.commands.train import CONFIG_FOLDER, TrainCLI, load_weights, main, run_name
from ecgdig.hub import load, parts
from ecgdig.io import write_csv
from ecgdig.sources import Simulator
from ecgdig.tasks import TraceTask
from ecgdig.units import LEADS

TINY = """
examples: 0
model:
  class_path: ecgdig.tasks.TraceTask
  init_args:
    encoder: resnet18
    depth: 2
    decoder_channels: [8, 8]
    block: 2
    features: 2
    refine: 4
    half_height_mm: 8
    px_per_mm_x: 4
    px_per_mm_y: 4
data:
  class_path: ecgdig.data.StripDataModule
  init_args:
    spec: {half_height_mm: 8, px_per_mm_x: 4, px_per_mm_y: 4}
    presets: {clean: 1}
    val_presets: {clean: 1}
    width_px: 64
    batch_size: 2
    strips_per_epoch: 4
    val_strips: 24
    workers: 0
trainer:
  accelerator: cpu
  max_epochs: 1
  num_sanity_val_steps: 0
  log_every_n_steps: 1
  enable_progress_bar: false
  enable_model_summary: false
  enable_checkpointing: false
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A tiny configuration, in a folder of its own where runs/ and wandb/ go."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    Path("tiny.yaml").write_text(TINY)
    return "tiny.yaml"


def logged(folder: Path) -> dict[str, str]:
    """The last value of each column of a run's table."""
    with (folder / "log" / "metrics.csv").open() as file:
        return {name: value for row in csv.DictReader(file) for name, value in row.items() if value}


def trained_steps(table: Path) -> list[int]:
    with table.open() as file:
        return [int(row["step"]) for row in csv.DictReader(file) if row["train/loss"]]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
def test_a_run_trains_logs_saves_and_goes_on(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")  # a full /tmp, or one on another disk, is none of its concern
    trainer = main(["--config", config, "--run", "mine"])
    assert trainer.global_step == 2
    folder = Path("runs/mine")
    assert {"best.ckpt", "last.ckpt", "config.yaml", "log"} <= {path.name for path in folder.iterdir()}
    values = logged(folder)
    scores = {"val/snr_db", "val/snr_db_median", "val/coverage", "val/mask_dice", "val/loss", "val/failures"}
    assert scores | {"train/loss", "train/height", "lr-AdamW", "train/items_per_s"} <= set(values)
    leads = {f"val/snr_db/{lead}" for lead in LEADS} & set(values)
    assert len(leads) > 8  # of 24 strips some lead may be missing
    assert float(values["val/snr_db"]) == pytest.approx(float(trainer.callback_metrics["val/snr_db"]), abs=1e-3)
    assert not Path("wandb").exists()
    assert not (folder / "wandb").exists()
    assert yaml.safe_load((folder / "config.yaml").read_text())["run"] == "mine"
    # plain enough to be loaded without running code from it
    saved = torch.load(folder / "best.ckpt", weights_only=True)
    assert saved["hyper_parameters"]["decoder_channels"] == [8, 8]

    went_on = main(["--config", config, "--run", "mine", "--resume", "last", "--trainer.max_epochs", "2"])
    assert went_on.global_step == 4
    # the steps after those of the first start, whose table is kept
    assert [trained_steps(folder / "log" / name) for name in ("metrics_1.csv", "metrics.csv")] == [[0, 1], [2, 3]]
    assert torch.load(folder / "last.ckpt", weights_only=True)["global_step"] == 4

    fresh = main(["--config", config, "--run", "other", "--init", "runs/mine/best.ckpt", "--trainer.max_steps", "1"])
    assert fresh.global_step == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
def test_a_run_that_goes_on_sees_the_strips_it_would_have_seen(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    step = TraceTask.training_step

    def noted(self: TraceTask, batch: dict[str, torch.Tensor], index: int) -> torch.Tensor:
        seen.append(int(batch["image"].long().sum()))
        return step(self, batch, index)

    monkeypatch.setattr(TraceTask, "training_step", noted)
    # a worker fetches before Lightning names the epoch
    same = ["--config", config, "--data.workers", "1", "--data.val_strips", "2"]
    main([*same, "--run", "whole", "--trainer.max_epochs", "2"])
    whole = seen.copy()
    seen.clear()
    main([*same, "--run", "parts"])
    main([*same, "--run", "parts", "--resume", "last", "--trainer.max_epochs", "2"])
    assert len(set(whole)) == 4
    assert seen == whole


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_run_is_kept_for_wandb_offline(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    changes = ["--trainer.max_steps", "2", "--data.val_strips", "48", "--ema", "0", "--examples", "2"]
    trainer = main(["--config", config, "--run", "offline", *changes])
    board = trainer.loggers[1].experiment
    assert board.config["config"]["data"]["init_args"]["val_strips"] == 48
    board.finish()
    (file,) = Path("runs/offline/wandb").glob("offline-run-*/*.wandb")
    kept, table = history(finished(file)), logged(Path("runs/offline"))
    for lead in LEADS:
        assert kept[f"val/snr_db/{lead}"] == [pytest.approx(float(table[f"val/snr_db/{lead}"]))]
    numbers = {"val/snr_db", "val/snr_db_median", "val/coverage", "val/failures", "val/interval_90_coverage"}
    assert numbers | {"lr-AdamW", "train/items_per_s"} <= set(kept)
    for name in numbers:
        assert kept[name] == [pytest.approx(float(table[name]))]
    assert [kept[f"{key}._type"] for key in ("train/strips", "val/pages")] == [["image-file"], ["image-file"]]
    assert [kept[f"{key}.nrows"] for key in ("val/examples", "val/worst")] == [[2], [2]]
    (model,) = [record.artifact for record in records(file) if record.artifact.type == "model"]
    assert (model.name, set(model.aliases)) == ("offline", {"best", "latest", "step-2"})
    there = [entry.path for entry in model.manifest.contents]
    assert set(there) == {"config.json", *parts.stored("model.safetensors", there)}
    assert load("runs/offline/shared").config["about"]["step"] == 2


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["--config", "nothing.yaml"], "no config 'nothing.yaml' here or in configs/, which has "),
        (["--config=nothing.yaml"], "no config 'nothing.yaml'"),
        (["--config", "tiny.yaml", "--run", "none", "--resume", "last"], "nothing to resume: runs/none/last.ckpt does"),
        (["--config", "tiny.yaml", "--data.records", "no-folder"], "no-folder: no WFDB records or other recordings"),
        (["--config", "tiny.yaml", "--data.records", "bad"], "bad/x.edf: not a readable EDF file"),
        (
            ["--config", "tiny.yaml", "--data.records", "half", "--data.simulated", "0"],
            "half/y.edf: not a readable EDF",
        ),
        (["--config", "tiny.yaml", "--resume", "text.ckpt"], "cannot resume from text.ckpt: "),
        (["--config", "tiny.yaml", "--resume", "empty.ckpt"], "cannot resume from empty.ckpt: "),
        (["--config", "tiny.yaml", "--resume", "weights.ckpt"], "cannot resume from weights.ckpt: it holds no state"),
        (["--config", "tiny.yaml", "--init", "text.ckpt"], "cannot start from text.ckpt: "),
        (["--config", "tiny.yaml", "--quiet", "--json-lines"], "--quiet and --json-lines exclude each other"),
    ],
    ids=[
        "config",
        "config=",
        "resume",
        "folder",
        "recording",
        "one of two",
        "resume text",
        "resume nothing",
        "resume weights alone",
        "start from text",
        "voice",
    ],
)
def test_what_cannot_be_is_one_line(
    config: str, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    for folder, name in (("bad", "x"), ("half", "y")):
        Path(folder).mkdir()
        Path(folder, f"{name}.edf").write_bytes(b"no EDF")
    write_csv(Simulator(1, seed=1)[0], "half/a.csv")
    Path("text.ckpt").write_text("not a checkpoint")
    Path("empty.ckpt").touch()
    torch.save({"state_dict": {}}, "weights.ckpt")
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("train: ")]
    assert line.startswith(f"train: {says}")
    assert "weights_only" not in line  # torch's advice to run code from the file
    assert says.startswith("half/") or not Path("runs").exists()  # that one is met while training


def test_json_lines_are_all_that_is_said(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--config", config, "--run", "told", "--json-lines", "--trainer.max_epochs", "2"])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["epoch"], one["step"]) for one in told] == [(0, 2), (1, 4)]
    assert all("val/snr_db" in one for one in told)
    main(["--config", config, "--run", "hushed", "--quiet"])
    assert capsys.readouterr().out == ""


def test_strips_the_model_is_not_made_for_are_refused(config: str) -> None:
    with pytest.raises(ValueError, match="make them the same"):
        main(["--config", config, "--data.spec.px_per_mm_x", "8"])


def test_print_config_shows_every_setting(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--config", config, "--model.refine", "5", "--print_config"])
    assert stopped.value.code == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert shown["model"]["init_args"]["refine"] == 5
    assert shown["model"]["init_args"]["learning_rate"] == 2e-3
    assert shown["ema"] == 0.998
    assert not Path("runs").exists()


SHIPPED = sorted({*CONFIG_FOLDER.glob("*.yaml")} - {CONFIG_FOLDER / "cluster.yaml", CONFIG_FOLDER / "sweep.yaml"})


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_configuration_makes_its_model_and_data(path: Path, config: str) -> None:
    first = path.read_text().splitlines()[0]
    assert first.startswith(f"# python scripts/train.py --config {path.name}")
    cli = TrainCLI(
        LightningModule,
        LightningDataModule,
        subclass_mode_model=True,
        subclass_mode_data=True,
        run=False,
        args=["--config", str(path), "--trainer.accelerator", "cpu"],
        save_config_callback=None,
    )
    made = cli.config
    assert cli.datamodule.seed == made.data.init_args.seed
    if isinstance(cli.model, TraceTask):
        assert cli.model.spec == cli.datamodule.spec
        multiple = cli.model.net.multiple
        assert cli.model.spec.height_px % multiple == cli.datamodule.width_px % multiple == 0


def test_the_sweep_names_options_and_a_score_that_there_are(
    config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = yaml.safe_load((CONFIG_FOLDER / "sweep.yaml").read_text())
    assert (Path(__file__).parents[2] / sweep["program"]).is_file()
    fixed = [part for part in sweep["command"] if part.startswith("--")]
    tried = [f"--{key}={values.get('values', [values.get('min')])[0]}" for key, values in sweep["parameters"].items()]
    with pytest.raises(SystemExit) as stopped:
        main([*fixed, *tried, "--print_config"])
    assert stopped.value.code == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert shown["model"]["init_args"]["learning_rate"] == 5e-4
    assert shown["data"]["init_args"]["batch_size"] == 8
    assert sweep["metric"]["name"] == shown["monitor"]
    assert run_name("sweep") == "sweep"
    monkeypatch.setenv("WANDB_SWEEP_ID", "s")
    monkeypatch.setenv("WANDB_RUN_ID", "r7")
    assert run_name("sweep") == "sweep-r7"


def test_weights_are_taken_from_checkpoints_and_safetensors(tmp_path: Path) -> None:
    one, other = (TraceTask("resnet18", 2, [8, 8]) for _ in range(2))
    save_file({name: value.contiguous() for name, value in one.net.state_dict().items()}, tmp_path / "w.safetensors")
    load_weights(other, tmp_path / "w.safetensors")
    for a, b in zip(one.net.parameters(), other.net.parameters(), strict=True):
        assert torch.equal(a, b)
    (tmp_path / "text.ckpt").write_text("not a checkpoint")
    for path, model in (
        (tmp_path / "none.ckpt", other),
        (tmp_path / "text.ckpt", other),
        (tmp_path / "w.safetensors", TraceTask("resnet18", 2, [8, 4])),
    ):
        with pytest.raises(SystemExit) as stopped:
            load_weights(model, path)
        message = str(stopped.value.code)
        assert message.startswith(f"cannot start from {path}: ")
        assert "\n" not in message


def test_a_larger_network_starts_from_a_smaller_one(tmp_path: Path) -> None:
    small = TraceTask("tu-resnet10t", 3, [8, 8, 6], features=2, refine=4)
    state = {name: value.contiguous() for name, value in small.net.state_dict().items()}
    save_file(state, tmp_path / "w.safetensors")
    large = TraceTask("tu-resnet18d", 3, [12, 8, 6], features=2, refine=4)
    load_weights(large, tmp_path / "w.safetensors")
    strips = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        torch.testing.assert_close(small.net.eval()(strips).height, large.net.eval()(strips).height, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("config", "monitor", "sizes"),
    [
        ("sheet_cpu.yaml", "val/dice", ["--data.height_px=96", "--data.width_px=160", "--data.crops=2"]),
        ("page_cpu.yaml", "val/found", ["--data.side_px=96", "--data.views=2"]),
    ],
    ids=["sheet", "page"],
)
def test_small_networks_train_with_a_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, monitor: str, sizes: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    sizes = [*sizes, "--data.workers=0", "--data.pages_per_epoch=2", "--data.val_pages=2", "--trainer.max_epochs=1"]
    main(["--config", config, "--run", "small", "--monitor", monitor, *sizes])
    assert (tmp_path / "runs/small/best.ckpt").is_file()
