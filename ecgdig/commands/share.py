"""`python scripts/share.py CKPT --out DIR`: a checkpoint as safetensors, config.json, ONNX, with error bars."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from ecgdig.commands.evaluate import HELD_OUT_SEED
from ecgdig.hub import CONFIG, CheckpointError, TraceModel, load, save
from ecgdig.hub.card import push, write_card
from ecgdig.scoring.cases import rendered_cases
from ecgdig.sources import RecordingFolder, Simulator, Source

_EPILOG = """examples:
  python scripts/share.py runs/mine/best.ckpt --out checkpoints/mine --records DIR --onnx
  python scripts/share.py checkpoints/trace-unet-small --onnx      only add (or renew) model.onnx; all else stays
"""


def main(args: Sequence[str] | None = None) -> None:
    """Calibrate sigma on rendered pages of held-out recordings and write the checkpoint; add ONNX where asked.

    Raises:
        SystemExit: 2 for an unreadable checkpoint or records.
    """
    parser = _parser()
    options = parser.parse_args(args)
    if options.out is None and not options.onnx and not options.push:
        parser.error("nothing to do: give --out DIR, or --onnx or --push for a checkpoint's own folder")
    try:
        model = load(options.checkpoint, runtime="torch")
        if options.out is not None:
            folder, rule = _share(model, options)
            print(f"{folder}: sigma = hypot({rule[0]:g} x spread, {rule[1]:g} mm)")
        else:
            folder = _own_folder(options.checkpoint)
        if options.onnx:
            _add_onnx(folder)
        write_card(folder)
        if options.push:
            print(push(folder, options.push))
    except (CheckpointError, ValueError, OSError) as error:
        print(f"share: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def _share(model: TraceModel, options: argparse.Namespace) -> tuple[Path, tuple[float, float]]:
    from ecgdig.calibrate import fit_sigma_rule, spreads_and_errors

    source: Source = RecordingFolder(options.records) if options.records else Simulator(100, HELD_OUT_SEED)
    cases = [
        case
        for preset in ("clean", "scan", "photo")
        for case in itertools.islice(
            rendered_cases(source, preset, ("3x4+1", "6x2"), 200, HELD_OUT_SEED + 1), options.pages // 3
        )
    ]
    rule = fit_sigma_rule(*spreads_and_errors(cases, model))
    about = {"sigma": rule, "note": options.note}
    net = model.net
    return save(net, model.config["network"], model.spec, options.out, about), rule  # type: ignore[arg-type]


def _own_folder(checkpoint: str) -> Path:
    from ecgdig.hub.files import released

    folder = Path(checkpoint)
    if not folder.is_dir():
        folder = released(checkpoint) or folder
    if not (folder / CONFIG).is_file():
        raise CheckpointError(f"{checkpoint}: not a shared checkpoint's folder; give --out DIR")
    return folder


def _add_onnx(folder: Path) -> None:
    from ecgdig.hub import parts
    from ecgdig.hub.export import add_onnx
    from ecgdig.hub.files import ONNX

    off = add_onnx(load(folder, runtime="torch"), folder)
    size = len(parts.read(folder / ONNX)) / 1e6
    print(f"{folder / ONNX}: {size:.1f} MB, differs from torch by {off:.1g} at most")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="share",
        description="Write a checkpoint that others can load by its folder.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("checkpoint", help="a .ckpt file of scripts/train.py, or a checkpoint's folder or name")
    add("--out", help="folder for model.safetensors, config.json and the model card README.md")
    add("--records", help="held-out WFDB records to calibrate on; default: simulated ones")
    add("--pages", type=int, default=12, help="pages to calibrate on (default: 12)")
    add("--note", default="", help="command and data that made it, kept in config.json")
    add(
        "--onnx",
        action="store_true",
        help="also write model.onnx, checked against torch; needs ecgdig[export]",
    )
    add("--push", metavar="OWNER/NAME", help="send the folder to the Hugging Face hub (log in first: hf auth login)")
    return parser
