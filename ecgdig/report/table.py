"""A table of text, as it is printed, written as Markdown and put into HTML."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; the first column names the row.

    Attributes:
        title: what it shows, with units.
        header: one name a column.
        rows: as many texts each.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """Aligned columns, the first to the left, the others to the right."""
        lines = (self.header, *self.rows)
        width = [max(len(line[i]) for line in lines) for i in range(len(self.header))]
        drawn = [
            "  ".join(
                cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, width, strict=True))
            )
            for line in lines
        ]
        return "\n".join([self.title, *(line.rstrip() for line in drawn)])

    def markdown(self) -> str:
        """A heading and a table of GitHub's kind."""
        marks = (":--", *("--:" for _ in self.header[1:]))
        lines = ["| " + " | ".join(_bar(cell) for cell in line) + " |" for line in (self.header, marks, *self.rows)]
        return "\n".join([f"### {self.title}", "", *lines])

    def html(self) -> str:
        """A `<table>` with caption, column and row headers; every text is escaped."""
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in self.header)
        body = "\n".join(
            f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(c)}</td>" for c in rest) + "</tr>"
            for first, *rest in self.rows
        )
        return (
            f'<div class="wide"><table>\n<caption>{escape(self.title)}</caption>\n'
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
        )


def number(value: float | None, digits: int = 3) -> str:
    """A value with that many decimals, zero without a sign; `-` where it is not known."""
    return "-" if value is None else f"{value:z.{digits}f}"


def interval(bounds: list[float] | None, digits: int = 3) -> str:
    """`low to high`; `-` where it is not known."""
    return "-" if bounds is None else f"{bounds[0]:z.{digits}f} to {bounds[1]:z.{digits}f}"


def _bar(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")
