"""`python scripts/eval_snr.py`: how well pages with known truth are read, by this program or any other."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from ecgdig import __version__
from ecgdig.commands.evaluate_options import parse
from ecgdig.commands.voice import OK, SOME_FAILED, Voice
from ecgdig.io.atomic import whole_file
from ecgdig.io.remote import Outbox, fetched, is_url, shown
from ecgdig.report.html import html_report
from ecgdig.report.scores import (
    comparison_markdown,
    comparison_text,
    markdown,
    tables,
    write_comparison_csv,
    write_csv,
)
from ecgdig.report.worst import Worst, pictures_of
from ecgdig.scoring.cases import (
    LAYOUTS,
    Case,
    folder_cases,
    index_rows,
    rendered_cases,
    those_that_can_be_scored,
)
from ecgdig.scoring.comparison import compare, read_summary
from ecgdig.scoring.journal import Journal
from ecgdig.scoring.predictions import match, scored_pairs
from ecgdig.scoring.results import PageResult, summary_of
from ecgdig.sources import RecordingFolder, Simulator, Source
from ecgdig.sources.ptbxl import TABLE, held_out
from ecgdig.tracking import wandb_mode

if TYPE_CHECKING:
    from ecgdig.hub import TraceModel

HELD_OUT_SEED = 2_000_029  # of the built-in recordings and pages; no training uses it

Finished = tuple[PageResult, Mapping[str, str]]  # a page's numbers, and pictures of it where it is among the worst


def main(args: Sequence[str] | None = None, prog: str = "eval_snr") -> dict[str, Any]:
    """Score (or compare) as the command line says; prints the tables, writes the files asked for.

    Pages that fail end nothing: see `exit_code`.

    Returns:
        the summary as `--json` holds it; with `--compare` the comparison.

    Raises:
        SystemExit: 2 for a bad option, folder, file or checkpoint; the message says what to do.
    """
    options = parse(args, prog)
    try:
        outboxes = _here(options)
        try:
            if options.compare:
                return _compare(options)
            return _score(options, sys.argv[1:] if args is None else args)
        finally:
            for outbox in outboxes:
                outbox.push()
    except (ValueError, OSError) as error:
        print(shown(f"eval_snr: {' '.join(str(error).split())}"), file=sys.stderr)
        raise SystemExit(2) from None


def exit_code(result: Mapping[str, Any]) -> int:
    """Of what `main` returned: 1 where a page failed or could not be scored, see `voice.EXIT_CODES`."""
    return SOME_FAILED if result.get("failures") or result.get("unscored") else OK


def _here(options: argparse.Namespace) -> list[Outbox]:
    """Puts paths on this machine in the place of URLs: what is read is fetched, what is written goes to outboxes."""
    for name in ("records", "pages", "predictions", "truth"):
        if getattr(options, name):
            setattr(options, name, fetched(getattr(options, name)))
    if options.compare:
        options.compare = [fetched(file) for file in options.compare]
    outboxes = []
    for name in ("json", "csv", "markdown", "html", "resume"):
        if is_url(getattr(options, name) or ""):
            outboxes.append(Outbox(getattr(options, name)))
            setattr(options, name, str(outboxes[-1].path))
    return outboxes


def load(name: str | None, runtime: str) -> TraceModel:
    """`hub.load`, by default of the released checkpoint."""
    from ecgdig import hub

    return hub.load(name or hub.DEFAULT, runtime=runtime)


def log_to_wandb(summary: dict[str, Any], project: str) -> None:
    """The same numbers as an evaluation run; offline unless logged in, nothing with WANDB_MODE=disabled."""
    import wandb

    os.environ["WANDB_MODE"] = wandb_mode()
    folder = Path("runs") / "eval"
    folder.mkdir(parents=True, exist_ok=True)
    run = wandb.init(project=project, job_type="eval", dir=str(folder), config={"what": summary["what"]})
    flat = {f"{name}/{key}": v for name, row in summary["metrics"].items() for key, v in row.items() if v is not None}
    flat |= {f"snr_db/{lead}": row["snr_db"] for lead, row in summary["per_lead"].items()}
    run.log(flat | {"failures": len(summary["failures"]), "pages": len(summary["pages"])})
    run.finish()


def _score(options: argparse.Namespace, args: Sequence[str]) -> dict[str, Any]:
    about: dict[str, Any] = {"command": shlex.join(["python", "scripts/eval_snr.py", *args]), "ecgdig": __version__}
    journal, more = (_score_predictions if options.predictions else _score_pages)(options)
    unscored = {name: shown(reason) for name, reason in more["unscored"].items()}
    if unscored and not journal.results:
        raise ValueError(f"{next(iter(unscored.values()))} (of {len(unscored)} pages none could be scored)")
    for name, reason in unscored.items():
        print(f"  {name}: not scored: {reason}", file=sys.stderr)
    summary = {**summary_of(journal.results.values()), **more, "unscored": unscored, **about}
    Voice.of(options).result(tables(summary), {"summary": {k: v for k, v in summary.items() if k != "pages"}})
    if options.json:
        _write(options.json, json.dumps(summary, indent=1) + "\n")
    if options.csv:
        write_csv(summary, options.csv)
    if options.markdown:
        _write(options.markdown, markdown(summary))
    if options.html:
        places = {index: place for place, index in enumerate(sorted(journal.results))}
        _write(options.html, html_report(summary, {places[i]: shown for i, shown in journal.pictures.items()}))
    if options.wandb:
        log_to_wandb(summary, options.wandb)
    return summary


def _score_pages(options: argparse.Namespace) -> tuple[Journal, dict[str, Any]]:
    """Pages read by a network here."""
    n, make = _cases(options)
    model = load(options.checkpoint, options.runtime)
    checkpoint = {"name": model.name, "sha256": model.sha256}
    what = _what(options)
    about = {"what": what, "geometry": options.geometry, "sha256": model.sha256, "ecgdig": __version__}
    journal = Journal(options.resume, about)
    unscored: dict[str, str] = {}
    cases = those_that_can_be_scored(make, _open(journal, n, options), unscored)
    _collect(_read(cases, model, options, journal), journal, n, options)
    return journal, {"what": what, "checkpoint": checkpoint, "extra": [], "unscored": unscored}


def _score_predictions(options: argparse.Namespace) -> tuple[Journal, dict[str, Any]]:
    """Recordings that any program read."""
    pairs, extra = match(Path(options.predictions), Path(options.truth))
    what = shown(f"predictions of {options.predictions} against the truth of {options.truth}")
    journal = Journal(options.resume, {"what": what, "ecgdig": __version__})
    worst = _worst(options, journal)
    unscored: dict[str, str] = {}

    def finished() -> Iterator[Finished]:
        for scored in those_that_can_be_scored(
            partial(scored_pairs, pairs), _open(journal, len(pairs), options), unscored
        ):
            shown = scored.estimate is not None and worst.takes(scored.result.score)
            yield scored.result, pictures_of(scored.truth, scored.estimate) if shown and scored.estimate else {}

    _collect(finished(), journal, len(pairs), options)
    return journal, {"what": what, "checkpoint": None, "extra": extra, "unscored": unscored}


def _read(
    cases: Iterator[Case], model: TraceModel, options: argparse.Namespace, journal: Journal
) -> Iterator[Finished]:
    from ecgdig.evaluate import outcomes, result_of

    worst = _worst(options, journal)
    for outcome in outcomes(cases, model, options.geometry == "true"):
        read = outcome.read
        shown = read is not None and worst.takes(outcome.score)
        yield result_of(outcome), pictures_of(outcome.case.truth, read.recording, read) if shown and read else {}


def _open(journal: Journal, n: int, options: argparse.Namespace) -> Iterator[int]:
    """Those of `n` pages that are not finished, ascending."""
    n = _wanted(n, options)
    journal.results = {i: result for i, result in journal.results.items() if i < n}
    return (i for i in range(n) if i not in journal.results)


def _wanted(n: int, options: argparse.Namespace) -> int:
    return min(n, options.limit or n)


def _worst(options: argparse.Namespace, journal: Journal) -> Worst:
    """Draws only where a report is asked for, or may be when the run goes on."""
    n = {} if options.html or options.resume else {"n": 0}
    return Worst((result.score for result in journal.results.values()), **n)


def _collect(finished: Iterable[Finished], journal: Journal, n: int, options: argparse.Namespace) -> None:
    """Keep every page as it is finished, of `n`, each told on a line beside a bar."""
    voice, before = Voice.of(options), len(journal.results)
    if before and not voice.quiet:
        print(shown(f"{options.resume}: pages finished before: {before}"), file=sys.stderr, flush=True)
    bar = tqdm(total=_wanted(n, options), initial=before, unit="page", disable=not voice.shows_progress, leave=False)
    with closing(journal), bar:
        for result, pictures in finished:
            journal.add(result, pictures)
            bar.update()
            with tqdm.external_write_mode():
                _tell(result, voice)


def _tell(result: PageResult, voice: Voice) -> None:
    if voice.json_lines:
        voice.result("", {"page": result.score.name, **result.score.page, "error": result.error})
    elif result.score.failed or not voice.quiet:
        print(f"  {result.score.name}: {_progress(result)}", file=sys.stderr, flush=True)


def _progress(result: PageResult) -> str:
    page = result.score.page
    if result.score.failed:
        return f"failed: {result.error or 'nothing was read'}"
    return f"{page['snr_db']:6.2f} dB, {page['coverage']:.1%} read"


def _compare(options: argparse.Namespace) -> dict[str, Any]:
    (file_a, file_b), (a, b) = map(shown, options.compare), (read_summary(file) for file in options.compare)
    comparison = {**compare(a, b), "a": f"{file_a} ({a.get('what', '')})", "b": f"{file_b} ({b.get('what', '')})"}
    text = f"A: {comparison['a']}\nB: {comparison['b']}\n\n{comparison_text(comparison)}"
    Voice.of(options).result(text, {"comparison": comparison})
    if options.json:
        _write(options.json, json.dumps(comparison, indent=1) + "\n")
    if options.csv:
        write_comparison_csv(comparison, options.csv)
    if options.markdown:
        _write(options.markdown, comparison_markdown(comparison))
    if options.html:
        _write(options.html, html_report({"what": file_b, **b}, comparison=comparison))
    return comparison


def _what(options: argparse.Namespace) -> str:
    if options.pages:
        return shown(f"pages of {options.pages}")
    where = shown(options.records or "") or "the built-in simulator"
    return f"{options.preset} pages ({options.layout}, {options.dpi:g} dpi) of {where}, {options.geometry} geometry"


def _cases(options: argparse.Namespace) -> tuple[int, Callable[[Iterable[int]], Iterator[Case]]]:
    """How many pages there are, and what makes those of given indices."""
    if options.pages:
        folder = Path(options.pages)
        return len(index_rows(folder)), partial(folder_cases, folder)
    source = _recordings(Path(options.records)) if options.records else Simulator(n=24, seed=HELD_OUT_SEED)
    layouts = LAYOUTS if options.layout == "all" else (options.layout,)
    return len(source), partial(rendered_cases, source, options.preset, layouts, options.dpi, HELD_OUT_SEED)


def _recordings(path: Path) -> Source:
    return held_out(path) if (path / TABLE).is_file() else RecordingFolder(path)


def _write(path: str, text: str) -> None:
    with whole_file(path) as file:
        file.write_text(text, encoding="utf-8")
