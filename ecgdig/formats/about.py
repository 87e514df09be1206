"""What every file says of a recording beside its samples: where they come from, and what is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ecgdig import __version__
from ecgdig.page.layout import Layout
from ecgdig.recording import Recording

if TYPE_CHECKING:
    from ecgdig.digitizer import Digitization

NO_NETWORK = "vector paths"  # in place of a checkpoint's name, where none was needed


@dataclass(frozen=True)
class Stretch:
    """Samples `first` to `last` (not included) that are not known in `leads`, and why: `not printed`, `not readable`
    or, where no page is known, `not known`."""

    leads: tuple[str, ...]
    first: int
    last: int
    why: str

    def text(self, fs: float) -> str:
        return f"{self.why}: {', '.join(self.leads)} from {self.first / fs:g} to {self.last / fs:g} s"


@dataclass(frozen=True)
class About:
    """Where the samples of a recording come from.

    Attributes:
        source: in words, such as `digitized from an image by ecgdig 0.1`; empty if that is not known.
        checkpoint: name and SHA-256 of the network; None where none read it.
        layout: the page it was read from.
        facts: more, in words, by name.
    """

    source: str = ""
    checkpoint: tuple[str, str] | None = None
    layout: Layout | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(digitized: Digitization) -> About:
        """What is to be said of a reading."""
        s = digitized.layout.segments[0]
        gains = "/".join(f"{gain:g}" for gain in digitized.layout.gains_mm_per_mv)
        facts = {
            "layout": digitized.layout.name,
            "paper": f"{s.speed_mm_per_s:g} mm/s, {gains} mm/mV",
            "time": "0 s is the page's first sample; date and hour of the recording are not known",
            "warnings": "; ".join(digitized.warnings) or "none",
        }
        vectors = digitized.checkpoint[0] == NO_NETWORK
        how = f"the {NO_NETWORK} of a PDF page" if vectors else "an image of paper"
        source = f"digitized from {how} by ecgdig {__version__}, not recorded by a device"
        return About(source, None if vectors else digitized.checkpoint, digitized.layout, facts)

    def pairs(self, recording: Recording) -> dict[str, str]:
        """All that is to be said, by name: source, checkpoint, sampling rate, unit, the facts, what is not known."""
        known: dict[str, str] = {"source": self.source} if self.source else {}
        if self.checkpoint is not None:
            known["checkpoint"] = f"{self.checkpoint[0]}, SHA-256 {self.checkpoint[1]}"
        known |= {"sampling rate": f"{recording.fs:g} Hz", "unit": "mV"} | dict(self.facts)
        gaps = [stretch.text(recording.fs) for stretch in self.gaps(recording)]
        known["missing samples"] = "; ".join(gaps) or "none"
        return known

    def lines(self, recording: Recording) -> list[str]:
        """The same, a line each."""
        return [f"{name}: {text}" for name, text in self.pairs(recording).items()]

    def gaps(self, recording: Recording) -> list[Stretch]:
        """Every stretch without samples, leads that lack the same stretch together; in the order of time."""
        time = np.arange(recording.n_samples) / recording.fs
        found: dict[tuple[int, int, str], list[str]] = {}
        for lead, samples in zip(recording.leads, recording.signal_mv, strict=True):
            missing = ~np.isfinite(samples)
            if self.layout is None:
                kinds = {"not known": missing}
            else:
                printed = np.zeros(missing.shape, bool)
                for s in self.layout.segments:
                    if s.lead.lstrip("-") == lead.lstrip("-"):
                        printed |= (time >= s.start_s - 1e-9) & (time < s.start_s + s.duration_s - 1e-9)
                kinds = {"not printed": missing & ~printed, "not readable": missing & printed}
            for why, where in kinds.items():
                for first, last in runs(where):
                    found.setdefault((first, last, why), []).append(lead)
        return [Stretch(tuple(leads), *key) for key, leads in sorted(found.items())]


def runs(where: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """(first, behind the last) of every stretch that is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], where.astype(np.int8), [0]]))).reshape(-1, 2)
    return [(int(first), int(last)) for first, last in edges]
