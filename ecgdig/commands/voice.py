"""What a command says: words for people, a JSON object a line for programs, or nothing; colours only on a terminal."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TextIO

OK, SOME_FAILED, BAD_OPTION, INTERRUPTED = 0, 1, 2, 130  # exit codes of every command

EXIT_CODES = """exit codes: 0 all done; 1 some pages or checks failed, each named on a line; 2 a bad option, file or
checkpoint, nothing was done; 130 interrupted (the same command goes on, where it can)"""

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1"}


def painted(text: str, colour: str, stream: TextIO) -> str:
    """`text` in a colour where `stream` is a terminal and NO_COLOR is not set (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def add_voice(parser: argparse.ArgumentParser) -> None:
    """The options --quiet and --json-lines."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quiet", action="store_true", help="say only what failed")
    how.add_argument("--json-lines", action="store_true", help="print results as JSON, an object a line, on stdout")


@dataclass(frozen=True)
class Voice:
    """How a command speaks; see `add_voice`."""

    quiet: bool = False
    json_lines: bool = False

    @staticmethod
    def of(options: argparse.Namespace) -> Voice:
        return Voice(options.quiet, options.json_lines)

    @property
    def shows_progress(self) -> bool:
        return not (self.quiet or self.json_lines) and sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Something for people."""
        if not (self.quiet or self.json_lines):
            print(text, flush=True)

    def result(self, text: str, record: Mapping[str, Any]) -> None:
        """A result: `text` for people, `record` for programs."""
        if self.json_lines:
            print(json.dumps(dict(record)), flush=True)
        else:
            self.say(text)
