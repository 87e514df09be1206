"""What any program read, beside the truth: recordings in two folders, matched by file name. No torch in here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ecgdig.formats import SUFFIXES, is_recording, name_of, read_recording
from ecgdig.metrics import score_recording
from ecgdig.recording import Recording
from ecgdig.scoring.cases import CaseError, index_rows, manifest_facts, scored_truth
from ecgdig.scoring.results import PageResult

_NONE = f"no prediction of that name; {{name}} with {', '.join(SUFFIXES)} was looked for"


@dataclass(frozen=True)
class Pair:
    """One page: where its truth is, and where what was read of it (None: nowhere)."""

    index: int
    name: str
    truth: Path
    prediction: Path | None
    layout: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scored:
    """The result of a pair, with the signals that it came from (`estimate` None where nothing could be read)."""

    result: PageResult
    truth: Recording
    estimate: Recording | None


def match(predictions: Path, truth: Path) -> tuple[list[Pair], list[str]]:
    """Every truth with its prediction, sorted by name, and the predictions that belong to no truth.

    Both folders are searched with what lies below them, for WFDB headers, for CSV files whose header begins with a time
    column, and for .npz, Parquet, DICOM, aECG and EDF files; names are compared without suffix. Of a prediction in
    several formats the CSV file counts, which may hold error bars, of a truth the WFDB record. Where the truths have an
    `index.csv` (columns `image,truth`, and `layout` if only what it prints is to be scored), its rows are the pages,
    called as their pictures.

    Raises:
        ValueError: a folder that is not there, holds no recording, or two of one name.
    """
    read = _recordings(predictions, "--predictions", (".csv", *(s for s in SUFFIXES if s != ".csv")))
    if (truth / "index.csv").is_file():
        pages = _listed(truth)
    else:
        there = _recordings(truth, "--truth", SUFFIXES)
        known = {Path(image).stem: facts for image, facts in _manifest(truth).items()}
        pages = [(name, there[name], "", known.get(name, {})) for name in sorted(there)]
    taken = set()
    pairs = []
    for i, (name, file, layout, facts) in enumerate(pages):
        found = next((key for key in (name, name_of(file)) if key in read), None)
        taken.add(found)
        pairs.append(Pair(i, name, file, read[found] if found else None, layout, facts))
    return pairs, sorted(set(read) - taken)


def scored_pairs(pairs: list[Pair], indices: Iterable[int]) -> Iterator[Scored]:
    """The pairs of `indices`, ascending, scored; those that there are not are passed over.

    A prediction that is missing or cannot be read is a failure of 0 dB, with the reason.

    Raises:
        CaseError: a truth that cannot be read, or of which nothing is to be scored.
    """
    for i in indices:
        if i >= len(pairs):
            return
        pair = pairs[i]
        try:
            truth = replace(scored_truth(pair.truth, pair.layout), name=pair.name)
        except ValueError as unreadable:
            raise CaseError(pair.name, str(unreadable)) from None
        estimate, error = _prediction(pair)
        score = score_recording(truth, estimate)
        if score.failed and not error:
            error = f"{pair.prediction}: no known sample where the truth has one"
        yield Scored(PageResult(i, score, None, error, pair.facts), truth, estimate)


def _prediction(pair: Pair) -> tuple[Recording | None, str]:
    if pair.prediction is None:
        return None, _NONE.format(name=pair.name)
    try:
        return read_recording(pair.prediction), ""
    except ValueError as error:
        return None, str(error)


def _recordings(folder: Path, option: str, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Name -> file of every recording; the first suffix wins.

    Raises:
        ValueError: no such folder, no recordings, or two of one name in one format.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder; give a folder of recordings for {option}")
    found: dict[str, Path] = {}
    for suffix in suffixes:
        here: dict[str, Path] = {}
        for path in sorted(folder.rglob(f"*{suffix}")):
            if not is_recording(path):
                continue
            name = name_of(path)
            if name in here:
                raise ValueError(f"{folder}: {here[name]} and {path} have one name; give each page its own")
            here[name] = path
        found = here | found
    if not found:
        raise ValueError(
            f"{folder}: no WFDB headers (.hea), CSV files that begin with a time column, or other recordings "
            f"({', '.join(SUFFIXES[2:])}); see {option}"
        )
    return found


def _listed(folder: Path) -> list[tuple[str, Path, str, dict[str, Any]]]:
    known = manifest_facts(folder)
    pages = []
    for row in index_rows(folder):
        facts = {"layout": row.get("layout") or None, **known.get(row["image"], {})}
        pages.append((Path(row["image"]).stem, folder / row["truth"], row.get("layout") or "", facts))
    return pages


def _manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """Of a data set's folder, or of the data set whose `truth/` this is."""
    return manifest_facts(folder) or manifest_facts(folder.parent)
