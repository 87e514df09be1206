from __future__ import annotations

import io
import json

import pytest

from ecgdig.commands.voice import Voice, painted


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert painted("x", "red", io.StringIO()) == "x"
    assert painted("x", "red", Terminal()) == "\x1b[31mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert painted("x", "red", Terminal()) == "x"


@pytest.mark.parametrize("voice, said", [(Voice(), "words\n"), (Voice(quiet=True), ""), (Voice(json_lines=True), None)])
def test_results_are_words_json_or_nothing(voice: Voice, said: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    voice.result("words", {"n": 1})
    out = capsys.readouterr().out
    assert (out == said) if said is not None else json.loads(out) == {"n": 1}
