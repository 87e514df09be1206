"""Text above and below the traces, in the arrangements of common carts: people, measurements, statements, footers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ecgdig.page.codes import code_128, qr_code
from ecgdig.page.facts import Facts, facts_of, one_of
from ecgdig.page.layout import Layout
from ecgdig.page.looks import HeaderKind, Style
from ecgdig.page.page import Mark, MarkKind
from ecgdig.page.pen import Align, Press
from ecgdig.recording import Recording

Rng = np.random.Generator
_LETTER = 0.92  # width of a letter with its space, in capital heights, at most


@dataclass(frozen=True)
class Line:
    """One line of text: `x` as a share of the paper's width, `y` in lines from the top of the block."""

    text: str
    x: float
    y: float
    kind: MarkKind = "header"
    width: float = 0.3  # of the paper: longer text is not printed
    align: Align = "left"
    size: float = 1.0  # of the style's text height


def header(press: Press, layout: Layout, style: Style, recording: Recording, rng: Rng) -> list[Mark]:
    """Print the header, or what of it finds room above the first row (below the last one for `below`)."""
    furniture, size = style.furniture, style.lettering.text_mm
    facts = facts_of(recording, rng)
    lines = _ARRANGEMENTS[furniture.arrangement](facts, rng)
    if furniture.statements and furniture.arrangement != "one-line":
        first = 0 if furniture.arrangement in {"table", "framed", "two-blocks"} else 1
        aside = furniture.arrangement in {"fields", "below"}
        x, width = (0.68, 0.32) if aside else (0.36, 0.34)
        lines += [Line(t, x, first + i, "interpretation", width) for i, t in enumerate(facts.statements)]
    corner = bool(rng.random() < 0.5)  # drawn whatever there is room for
    baselines = [s.baseline_mm for s in layout.segments]
    top, bottom = 3.0, min(baselines) - 11.0
    if furniture.arrangement == "below":
        top, bottom = max(baselines) + 12.0, layout.paper.height_mm - 3.5 * size
    if not furniture.header or bottom - top < 2.5 * size:
        return []
    marks = []
    name, width = facts.institution, layout.paper.width_mm
    # whether it is seen in this window must not matter to what stands below it
    if furniture.institution and top + 2.2 * size <= bottom and len(name) * _LETTER * 1.2 * size <= 0.5 * width:
        left = width - 5 if corner else width / 2
        box = press.word(name, 1.2 * size, left, top, align="right" if corner else "centre")
        marks += [] if box is None else [Mark("institution", name, box)]
        top += 2.2 * size
    step = 1.6 * size
    for line in lines:
        y = top + line.y * step
        height = line.size * size
        if y + height > bottom or len(line.text) * _LETTER * height > line.width * layout.paper.width_mm:
            continue
        left = 4 + line.x * (layout.paper.width_mm - 8)
        box = press.word(line.text, height, left, y, align=line.align)
        if box is not None:
            marks.append(Mark(line.kind, line.text, box))
    if furniture.arrangement == "framed" and bottom - top > 6 * step:
        right = 4 + 0.3 * (layout.paper.width_mm - 8)
        press.rectangle((2.5, top - 1.5, right, top + 5 * step), 0.2)
    return marks


def _fields(facts: Facts, rng: Rng) -> list[Line]:
    """Labelled fields in one to three columns."""
    texts = [
        f"ID: {facts.number}", f"Name: {facts.name}", f"Age: {facts.age}", f"Sex: {facts.sex}", f"Date: {facts.date}",
        f"Time: {facts.time}", f"Height: {facts.height_cm} cm", f"Weight: {facts.weight_kg} kg",
        f"Vent. rate {facts.rate} bpm", f"PR interval {facts.pr} ms", f"QRS duration {facts.qrs} ms",
        f"QT/QTc {facts.qt}/{facts.qtc} ms",
    ]  # fmt: skip
    keep = np.sort(rng.permutation(len(texts))[: int(rng.integers(3, len(texts) + 1))])
    columns = int(rng.integers(1, 4))
    deep = -(-len(keep) // columns)
    width = 0.68 / columns if columns > 1 else 0.6
    return [Line(texts[k], (i // deep) * width, i % deep, width=width) for i, k in enumerate(keep)]


def _columns(facts: Facts, rng: Rng) -> list[Line]:
    """The person at the left with measurements below it, statements in the middle, the date on the first line."""
    person = [f"{facts.name}   ID:{facts.number}", f"{facts.age} yr   {facts.sex}"]
    measured = [
        f"Vent. rate  {facts.rate}  BPM", f"PR interval  {facts.pr}  ms", f"QRS duration  {facts.qrs}  ms",
        f"QT/QTc  {facts.qt}/{facts.qtc}  ms", "P-R-T axes  " + "  ".join(map(str, facts.axes)),
    ]  # fmt: skip
    lines = [Line(text, 0.0, i, width=0.35) for i, text in enumerate(person + measured)]
    lines.append(Line(f"{facts.date}  {facts.time}", 0.36, 0, width=0.34))
    if rng.random() < 0.5:
        lines += [Line(text, 0.75, i + 1, width=0.25) for i, text in enumerate(("Technician:", "Test ind:"))]
    return lines


def _table(facts: Facts, rng: Rng) -> list[Line]:
    """Short names with their values right-aligned beside them; axes below a rule of dashes."""
    rows = [("Rate", facts.rate), ("PR", facts.pr), ("QRSD", facts.qrs), ("QT", facts.qt), ("QTc", facts.qtc)]
    lines = []
    for i, (name, value) in enumerate(rows):
        lines += [Line(name, 0.0, i), Line(str(value), 0.1, i, align="right")]
    lines.append(Line("--AXIS--", 0.0, len(rows)))
    for i, (name, value) in enumerate(zip(("P", "QRS", "T"), facts.axes, strict=True), len(rows) + 1):
        lines += [Line(name, 0.0, i), Line(str(value), 0.1, i, align="right")]
    lines += [Line(f"{facts.number}", 0.16, 0, width=0.2), Line(facts.name, 0.16, 1, width=0.2)]
    lines += [Line(f"{facts.age} years  {facts.sex}", 0.16, 2, width=0.2)]
    when = f"{facts.date} {facts.time}"
    return [*lines, Line(when, 1.0, 0, align="right") if rng.random() < 0.6 else Line(when, 0.16, 3, width=0.2)]


def _one_line(facts: Facts, rng: Rng) -> list[Line]:
    """Everything on the first line or two."""
    parts = [facts.name, f"ID {facts.number}", facts.date, facts.time, f"{facts.age} Y {facts.sex}", f"HR {facts.rate}"]
    n = int(rng.integers(3, len(parts) + 1))
    lines = [Line("  ".join(parts[:n]), 0.0, 0, width=0.75)]
    if rng.random() < 0.5:
        lines.append(Line(f"PR {facts.pr}  QRS {facts.qrs}  QT {facts.qt}  QTc {facts.qtc}", 0.0, 1, width=0.75))
    return lines


def _framed(facts: Facts, rng: Rng) -> list[Line]:
    """The person in a frame at the left, measurements at the right edge."""
    person = [facts.name, f"Pat. no. {facts.number}", f"{facts.age} y / {facts.sex}", f"{facts.date} {facts.time}"]
    measured = [f"HR  {facts.rate} /min", f"P-QRS-T  {'  '.join(map(str, facts.axes))}", f"PQ  {facts.pr} ms"]
    measured += [f"QRS  {facts.qrs} ms", f"QT  {facts.qt} ms", f"QTc  {facts.qtc} ms"]
    size = f"{facts.height_cm} cm / {facts.weight_kg} kg"
    lines = [Line(text, 0.0, i, width=0.29) for i, text in enumerate([*person, size][: int(rng.integers(4, 6))])]
    return lines + [Line(text, 0.74, i, width=0.26) for i, text in enumerate(measured)]


def _below(facts: Facts, rng: Rng) -> list[Line]:
    """Below the traces, in two lines of fields."""
    first = [f"ID {facts.number}", facts.name, f"{facts.age} yrs", facts.sex]
    second = [f"{facts.date} {facts.time}", f"HR {facts.rate} bpm", f"PR {facts.pr} ms", f"QRS {facts.qrs} ms"]
    lines = [Line(text, 0.17 * i, 0, width=0.17) for i, text in enumerate(first)]
    return lines + [Line(text, 0.17 * i, 1, width=0.17) for i, text in enumerate(second[: int(rng.integers(1, 5))])]


def _two_blocks(facts: Facts, rng: Rng) -> list[Line]:
    """The person right-aligned at the right edge, measurements with their values in columns at the left."""
    rows = [("HR", f"{facts.rate}"), ("P", f"{facts.qrs + 12}"), ("PR", f"{facts.pr}"), ("QRS", f"{facts.qrs}")]
    rows += [("QT/QTcB", f"{facts.qt}/{facts.qtc}"), ("P/QRS/T", "/".join(map(str, facts.axes)))]
    units = ("bpm", "ms", "ms", "ms", "ms", "deg")
    lines = []
    for i, ((name, value), unit) in enumerate(zip(rows, units, strict=True)):
        lines += [Line(name, 0.0, i), Line(value, 0.12, i), Line(unit, 0.24, i)]
    right = [facts.name, f"{facts.age}  {facts.sex}", f"No. {facts.number}", facts.date, facts.time]
    n = int(rng.integers(3, 6))
    return lines + [Line(text, 1.0, i, align="right", size=1.1) for i, text in enumerate(right[:n])]


_ARRANGEMENTS: dict[HeaderKind, Callable[[Facts, Rng], list[Line]]] = {
    "fields": _fields,
    "columns": _columns,
    "table": _table,
    "one-line": _one_line,
    "framed": _framed,
    "below": _below,
    "two-blocks": _two_blocks,
}


def footer(press: Press, layout: Layout, style: Style, rng: Rng) -> list[Mark]:
    """Print speed, gain and filters below the traces, in one of many spellings, and the number of the page."""
    size = style.lettering.text_mm
    words = _footer_words(layout, rng)
    left, gap = rng.uniform(5, 60), rng.uniform(40, 90)
    number = one_of(rng, ["Page {0} of {1}", "{0}/{1}", "- {0} -", "Pg {0}"])
    total = layout.page + int(rng.integers(1, 4))
    top = layout.paper.height_mm - 2.5 * size
    if top < max(s.baseline_mm for s in layout.segments) + 3:
        return []
    marks = []
    if style.furniture.footer:
        for word in words:
            width = len(word) * _LETTER * size
            if left + width > layout.paper.width_mm - (24 if style.furniture.page_number else 2):
                break
            box = press.word(word, size, float(left), top)
            if box is not None:
                marks.append(Mark("footer", word, box))
            left += max(gap, width + 3)
    if style.furniture.page_number:
        text = number.format(layout.page + 1, total)
        box = press.word(text, size, layout.paper.width_mm - 4, top, align="right")
        marks += [] if box is None else [Mark("page-number", text, box)]
    return marks


def _footer_words(layout: Layout, rng: Rng) -> list[str]:
    s = layout.segments[0]
    gains = sorted({t.gain_mm_per_mv for t in layout.segments}, reverse=True)
    speed, gain = f"{s.speed_mm_per_s:g}", "/".join(f"{g:g}" for g in gains)
    n = int(rng.integers(2, 4))
    words = [
        one_of(rng, ["{} mm/s", "{}mm/s", "{} mm/sec", "Speed: {} mm/s", "V: {} mm/s"]).format(speed),
        one_of(rng, ["{} mm/mV", "{}mm/mV", "{}.0 mm/mV", "Gain: {} mm/mV", "Sens. {} mm/mV"]).format(gain),
        one_of(rng, [
            "0.05-150 Hz", "0.5-40 Hz", "F 50~ 0.15-100 Hz", "0.05~35Hz AC50", "40 Hz", "W 0.5-100 Hz", "AC 60Hz",
            "Filter: ON", "ADS 25Hz", "F 60~ 0.05-150",
        ]),
    ][:n]  # fmt: skip
    if rng.random() < 0.25:
        return ["  ".join(words)]
    if rng.random() < 0.1:
        limb, chest = gains[0], gains[-1]
        words[1] = f"Limb: {limb:g} mm/mV  Chest: {chest:g} mm/mV"
    return words


def codes(press: Press, layout: Layout, style: Style, rng: Rng) -> list[Mark]:
    """Print a QR code, a barcode and a line to sign on, where there is room."""
    number, side = f"{rng.integers(10**9, 10**10)}", float(rng.uniform(12, 20))
    module = float(rng.uniform(0.25, 0.4))
    width, height = layout.paper.width_mm, layout.paper.height_mm
    above = min(s.baseline_mm for s in layout.segments) - 14.0
    below = max(s.baseline_mm for s in layout.segments) + 12.0
    marks = []
    if style.furniture.qr and above > side + 10:
        box = press.modules(qr_code(f"ECG{number}"), width - side - 6, above - side, side, side)
        marks.append(Mark("qr-code", f"ECG{number}", box))
    if style.furniture.barcode and above > 24:
        bars = code_128(number)[None]
        wide = module * (bars.shape[1] + 4)
        left = width - wide - (26 if style.furniture.qr else 6)
        if left > 0.4 * width:
            box = press.modules(np.repeat(bars, 24, axis=0), left, above - 8, wide, 8.0)
            marks.append(Mark("barcode", number, box))
    floor = height - 2.5 * style.lettering.text_mm - 3.0  # above the footer
    if style.furniture.signature and style.furniture.arrangement != "below" and below < floor - 3 and width > 150:
        x = width - 75.0
        word = press.word("Physician:", 2.2, x, floor - 2.5)
        press.line(np.array([(x + 21, floor), (x + 69, floor)]), 0.2)
        if word is not None:
            marks.append(Mark("signature", "Physician:", (word[0], word[1], x + 69.1, max(word[3], floor + 0.1))))
    return marks
